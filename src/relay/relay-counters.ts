// What a relay counts, as metrics. The totals of FLV bytes are counted here and nowhere else.

import type { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { PeerKind } from '../model.js';
import { countRetries } from '../upstream/trail.js';
import type { Batch } from './audience/batch.js';
import type { Framing } from './audience/frames.js';
import type { Viewer } from './audience/viewer.js';
import type { Jump } from './flv/timeline.js';
import type { FailoverCause } from './source/failover-state.js';
import type { PullOutcome } from './source/source.js';

const protocolOf = (framing: Exclude<Framing, 'peer'>) => (framing === 'websocket' ? 'ws-flv' : 'flv');

/** Of all relays together: only the wiring is each relay's own. */
export class RelayCounters {
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #onRetry: (error: WeirError) => void;

  /** @param now monotonic ms */
  constructor(metrics: Metrics, now: () => number) {
    this.#metrics = metrics;
    this.#now = now;
    this.#onRetry = countRetries(metrics);
  }

  retried(error: WeirError): void {
    this.#onRetry(error);
  }

  pullEnded(outcome: PullOutcome): void {
    this.#metrics.relayPulls.inc({ outcome });
  }

  /** @param lastAt monotonic ms at which viewers got the last media of the old pull */
  failedOver(cause: FailoverCause, lastAt: number | undefined): void {
    this.#metrics.relayFailovers.inc({ cause });
    if (lastAt !== undefined) this.#metrics.relayFailoverDuration.observe((this.#now() - lastAt) / 1000);
  }

  jumped(direction: Exclude<Jump, undefined>): void {
    this.#metrics.relayTimestampJumps.inc({ direction });
  }

  wrongTagSize(): void {
    this.#metrics.relayWrongTagSizes.inc();
  }

  /** Bytes between peers do not count into the players' totals. */
  received(bytes: number, fromPeer: PeerKind | undefined): void {
    const { traffic } = this.#metrics;
    if (fromPeer === undefined) traffic.received.flv += bytes;
    else traffic.peers[fromPeer] += bytes;
  }

  batchMade(batch: Batch): void {
    this.#metrics.relayWindowBytes.observe(batch.frame.length);
  }

  /** @param sent how many viewers were given it, by framing */
  delivered(batch: Batch, sent: Readonly<Record<Framing, number>>): void {
    const { traffic } = this.#metrics;
    traffic.sent.flv += batch.frame.length * (sent.chunked + sent.raw);
    traffic.sent['ws-flv'] += batch.frame.length * sent.websocket;
  }

  /** The viewer was given so many bytes to begin with. */
  entered(viewer: Viewer, bytes: number): void {
    if (viewer.framing === 'peer') return;
    const protocol = protocolOf(viewer.framing);
    this.#metrics.relayJoin.observe({ protocol }, (this.#now() - viewer.askedAt) / 1000);
    this.resumed(viewer, bytes);
  }

  /** The viewer was given so many bytes to go on with, after it had skipped. */
  resumed({ framing }: Viewer, bytes: number): void {
    if (framing !== 'peer') this.#metrics.traffic.sent[protocolOf(framing)] += bytes;
  }

  skipped(): void {
    this.#metrics.relaySkips.inc();
  }

  closedAsSlow(): void {
    this.#metrics.relaySlowCloses.inc();
  }
}
