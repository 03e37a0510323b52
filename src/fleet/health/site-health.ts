// The health checks of a site: its leader makes them and publishes what fails; every edge of the site hears of it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { Metrics } from '../../metrics.js';
import type { Channel, ServerOrigin } from '../../model.js';
import type { Election } from '../election.js';
import type { FleetSession } from '../session.js';
import type { Probe } from './probe.js';
import { believable, findingsOf, type HealthRecord, type ProbeFinding, parseRecord } from './record.js';
import { probeTargets } from './targets.js';

export interface SiteHealthOptions {
  readonly session: FleetSession;
  readonly election: Pick<Election, 'isLeader' | 'token'>;
  /** The node of the site's record. */
  readonly path: string;
  /** ms from the beginning of one round to that of the next. */
  readonly intervalMs: number;
  readonly channels: () => Iterable<Channel>;
  readonly probe: Pick<Probe, 'check'>;
  /** What counts for servers now, beside what this edge sees itself. */
  readonly found: (findings: readonly ProbeFinding[]) => void;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'healthProbes'>;
}

/** Checks under way. */
const maxUnderWay = 16;
/** Milliseconds between the beginnings of two checks: 50 a second. */
const gapMs = 20;

/** Runs from its making to `close`. */
export class SiteHealth {
  readonly #options: SiteHealthOptions;
  readonly #stop = new AbortController();
  readonly #endWatch: () => void;
  #last: HealthRecord | undefined;
  #round = 0;

  constructor(options: SiteHealthOptions) {
    this.#options = options;
    this.#endWatch = options.session.watch(options.path, 'data', () => void this.#read());
    void this.#run();
  }

  close(): void {
    this.#endWatch();
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let waitMs = this.#options.intervalMs; !signal.aborted; ) {
      await sleep(waitMs, undefined, { signal }).catch(() => {});
      const startedAt = performance.now();
      if (!signal.aborted && this.#options.election.isLeader()) await this.check().catch((error) => this.#tell(error));
      waitMs = Math.max(gapMs, startedAt + this.#options.intervalMs - performance.now());
    }
  }

  /** One round. */
  async check(): Promise<void> {
    const { channels, probe, election, metrics } = this.#options;
    const underWay = new Set<Promise<void>>();
    const failing: (readonly [ServerOrigin, Failure])[] = [];
    let checked = 0;
    for (const { server, endpoint } of probeTargets(channels(), this.#round++)) {
      if (this.#stop.signal.aborted || !election.isLeader()) break;
      const one = probe.check(server, endpoint).then((finding) => {
        underWay.delete(one);
        metrics.healthProbes.inc({ outcome: finding === 'well' || finding === 'unknown' ? finding : 'failed' });
        if (finding === 'unknown') return;
        checked += 1;
        if (finding !== 'well') failing.push([server, finding]);
      });
      underWay.add(one);
      if (underWay.size >= maxUnderWay) await Promise.race(underWay);
      await sleep(gapMs);
    }
    await Promise.all(underWay);
    await this.#publish(believable(failing, checked));
  }

  async #publish(failing: HealthRecord['failing']): Promise<void> {
    const { session, election, path, intervalMs } = this.#options;
    const known = await session.get(path);
    const { token } = election;
    // Whoever leads now, or led after this one, has the word.
    if (token === undefined || BigInt((known && parseRecord(known.data)?.token) ?? 0) > BigInt(token)) return;
    const record: HealthRecord = { v: 1, token, at: Date.now(), intervalMs, failing };
    if (known === undefined) await session.create(path, JSON.stringify(record), 'persistent');
    else await session.set(path, JSON.stringify(record), known.version);
  }

  async #read(): Promise<void> {
    const { session, path, found } = this.#options;
    try {
      const node = await session.get(path);
      const record = node && parseRecord(node.data);
      const before = this.#last;
      // Each round counts once, however often it is read.
      if (record === undefined || (record.token === before?.token && record.at === before.at)) return;
      this.#last = record;
      const findings = findingsOf(record, before, Date.now());
      if (findings.length > 0) found(findings);
    } catch {
      // After the next connection it is read again.
    }
  }

  #tell(error: unknown): void {
    const { message: reason } = error as Error;
    this.#options.logger.warn({ reason }, 'what the health checks found is not published');
  }
}
