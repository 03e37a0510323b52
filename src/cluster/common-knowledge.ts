// What the workers of an edge know of each other, by way of the supervisor: who serves, what is in flight, which HLS
// sessions there are, how many connections each may have, and what all of them counted.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionState } from '../data-plane/contract.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName } from '../model.js';
import { type Member, ownerOf } from '../sharding/owner.js';
import { allowances } from './allowance.js';
import { InFlightSums } from './in-flight.js';
import { MetricsLedger, readMetrics } from './metrics-ledger.js';
import { SessionLedger, type SessionLedgerSettings } from './session-ledger.js';
import type { WorkerNews, WorkerProcess, WorkerState } from './worker-process.js';

/** Milliseconds that a scrape waits for a worker; what it last counted stands in for a late one. */
const metricsDeadline = 1_000;
/** Milliseconds in which reports of several workers are gathered before all hear of them. */
const gatherWindow = 20;
/** A worker that missed so many heartbeats, or whose event loop was this busy, gets no connections left by the others. */
const silentAfter = 2;
const busyFrom = 0.9;

/** The workers as the supervisor has them now. */
export interface Workers {
  /** Those that serve, in the order of their slots. */
  serving(): readonly WorkerProcess[];
  /** Those that start or drain, too. */
  all(): Iterable<WorkerProcess>;
}

/** News that concern the other workers. */
export type SharedNews = Extract<WorkerNews, { kind: 'metrics' | 'in-flight' | 'sessions' | 'intake' }>;

export class CommonKnowledge {
  readonly #workers: Workers;
  readonly #socketFolder: string;
  readonly #metrics: Metrics;
  readonly #ledger = new MetricsLedger();
  readonly #inFlight = new InFlightSums();
  readonly #sessions = new SessionLedger(() => performance.now());
  #toldMembers: readonly Member[] = [];
  #gathering: NodeJS.Timeout | undefined;

  /** @param socketFolder where the workers' Unix sockets are made */
  constructor(workers: Workers, socketFolder: string, metrics: Metrics) {
    this.#workers = workers;
    this.#socketFolder = socketFolder;
    this.#metrics = metrics;
  }

  memberOf({ id, slot }: WorkerProcess): Member {
    return { slot, name: `worker-${id}`, socket: join(this.#socketFolder, `${id}.sock`) };
  }

  members(): Member[] {
    return this.#workers.serving().map((worker) => this.memberOf(worker));
  }

  /** The worker that has the channel; undefined while none serves. */
  ownerOf(channel: ChannelName): WorkerProcess | undefined {
    const owner = ownerOf(channel, this.members());
    return this.#workers.serving().find(({ slot }) => slot === owner?.slot);
  }

  /** What a worker that starts needs to know: the members as they will be when it serves, and its sessions. */
  forNewcomer(worker: WorkerProcess): { self: Member; members: Member[]; sessions: SessionState[] } {
    const self = this.memberOf(worker);
    const members = [...this.members().filter(({ slot }) => slot !== self.slot), self];
    const sessions = this.#sessions.of((channel) => ownerOf(channel, members)?.name === self.name);
    return { self, members, sessions };
  }

  hear(worker: WorkerProcess, news: SharedNews, settings: SessionLedgerSettings): void {
    switch (news.kind) {
      case 'metrics':
        this.#ledger.report(worker.id, news.metrics);
        break;
      case 'in-flight':
        this.#inFlight.report(worker.id, news.counts);
        this.#tellInFlight();
        break;
      case 'sessions':
        this.#sessions.report(news.sessions, settings);
        break;
      case 'intake':
        worker.intake = news.intake;
        this.shareConnections();
        break;
    }
  }

  /** Tells all who serves now. Channels that change hands take their HLS sessions along. */
  tellMembers(): void {
    const before = this.#toldMembers;
    const members = this.members();
    this.#toldMembers = members;
    for (const worker of this.#workers.all()) this.#tell(worker, before, members);
  }

  /** Tells one worker everything anew that it may have missed. */
  tellAgain(worker: WorkerProcess): void {
    this.#tell(worker, [], this.members());
    worker.send({ kind: 'in-flight', counts: this.#inFlight.elsewhere(worker.id) });
  }

  #tell(worker: WorkerProcess, before: readonly Member[], members: readonly Member[]): void {
    const { name } = this.memberOf(worker);
    const isNew = (channel: string) =>
      ownerOf(channel, members)?.name === name && ownerOf(channel, before)?.name !== name;
    const sessions = this.#sessions.of(isNew);
    if (sessions.length > 0) worker.send({ kind: 'adopt', sessions });
    worker.send({ kind: 'members', members });
  }

  /** Each may be somewhat ahead of the one with the fewest; who stepped back and may go on hears it too. */
  shareConnections(): void {
    const workers = this.#workers.serving();
    const loads = workers.map(({ intake, silentTicks, utilization }) => ({
      open: intake.open,
      calm: silentTicks < silentAfter && utilization < busyFrom,
    }));
    for (const [index, allowance] of allowances(loads).entries()) workers[index]?.allow(allowance);
  }

  /** It is gone: nothing is in flight there. */
  forget(worker: WorkerProcess): void {
    this.#inFlight.forget(worker.id);
    this.#tellInFlight();
  }

  /** Everything that it sent was heard: what it counted stays counted. */
  async retire(worker: WorkerProcess): Promise<void> {
    await Promise.all([this.#ledger.retire(worker.id), rm(this.memberOf(worker).socket, { force: true })]);
  }

  /** All processes as one, in Prometheus' text format. */
  async metrics(): Promise<{ type: string; text: string }> {
    // One that starts counted nothing yet, and does not answer.
    const able = [...this.#workers.all()].filter(({ state }) => state !== 'starting');
    const asked = able.map(async (worker) => {
      const answer = await worker.ask({ about: 'metrics' }, metricsDeadline).catch(() => undefined);
      if (answer !== undefined) this.#ledger.report(worker.id, answer);
    });
    await Promise.all(asked);
    const states: Record<Exclude<WorkerState, 'gone'>, number> = { starting: 0, serving: 0, draining: 0 };
    this.#metrics.workerMemory.reset();
    for (const { state, slot, residentBytes } of this.#workers.all()) {
      if (state === 'gone') continue;
      states[state] += 1;
      if (state === 'serving') this.#metrics.workerMemory.set({ worker: String(slot) }, residentBytes);
    }
    for (const [state, count] of Object.entries(states)) this.#metrics.workers.set({ state }, count);
    return this.#ledger.render(await readMetrics(this.#metrics.registry));
  }

  close(): void {
    clearTimeout(this.#gathering);
  }

  /** Gathers what several workers report at once. */
  #tellInFlight(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      for (const worker of this.#workers.all()) {
        worker.send({ kind: 'in-flight', counts: this.#inFlight.elsewhere(worker.id) });
      }
    }, gatherWindow);
  }
}
