// What is known of one server: how its requests go, and whether its endpoints report one load or several.

import type { Outcome } from '../policy.js';
import type { Source } from './source.js';

/** ms that a slow first byte may take anyhow, and times the usual one, before it counts against a server. */
const firstByteFloor = 250;
const firstByteRatio = 3;
/** Share of requests that may fail before a server counts as failed; a connection refused counts at once. */
const toleratedFailures = 0.05;
/** ms over which `recent` reaches back. */
const recentSpan = 60_000;
/** Reports over which their agreement is averaged. */
const agreement = 60;
/** What the newest report misses by before any comparison: one that fits by chance is no agreement. */
const assumedMiss = 0.1;
/** The newest report tells an endpoint's next one when it misses by less than this, and this part of what its own misses by. */
const sameLoad = 0.02;
const clearlyLess = 0.5;

export class Server {
  /** The load that all its endpoints tell, where they tell one; the newest known one of any of them. */
  readonly source: Source;
  /** Monotonic ms until which it gets nothing after a failure. */
  blockedUntil = 0;
  /** Usual ms to its first byte; 0 when unknown. */
  firstByte = 0;
  slowPenalty = 0;
  #teller: Source | undefined;
  #compared = 1;
  #missedByOwn = 0;
  #missedByNewest = assumedMiss;
  #failed = 0;
  #went = 0;
  #recent = 0;
  #recentAt = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Whether its reports are one load: that the last one of any endpoint tells the next one of another clearly better than its own. */
  get agrees(): boolean {
    return this.#compared === 1 || this.#missedByNewest <= sameLoad + clearlyLess * this.#missedByOwn;
  }

  /** An endpoint tells a load; before its source and that of the server take it in. */
  compare(teller: Source, load: number): void {
    const another = this.#teller !== undefined && this.#teller !== teller;
    this.#teller = teller;
    const newest = this.source.load;
    if (!another || newest === undefined) return;
    this.#compared = Math.min(agreement, this.#compared + 1);
    const byOwn = Math.abs(load - (teller.load ?? load));
    this.#missedByOwn += (byOwn - this.#missedByOwn) / this.#compared;
    this.#missedByNewest += (Math.abs(load - newest) - this.#missedByNewest) / this.#compared;
  }

  /** A report: what failed before it is forgiven, and a slow server is step by step, since only picks bring news of it. */
  reported(usualFirstByte: number): void {
    this.blockedUntil = 0;
    this.#failed = 0;
    this.#went = 0;
    if (this.firstByte > usualFirstByte) this.firstByte += 0.3 * (usualFirstByte - this.firstByte);
    this.#judgeFirstByte(usualFirstByte);
  }

  /** The first byte took `elapsed` ms, where `usual` is what it takes anywhere. */
  answered(elapsed: number, usual: number): void {
    this.#went += 1;
    this.firstByte += (elapsed - this.firstByte) * (this.firstByte === 0 ? 1 : 0.2);
    this.#judgeFirstByte(usual);
  }

  /**
   * A pick ended; a failure keeps the server out for `hold` ms, or until it reports again.
   * @returns whether it is out from now on
   */
  ended(outcome: Outcome, now: number, hold: number): boolean {
    if (outcome === 'abandoned') return false;
    if (outcome === 'success') {
      this.#went += 1;
      return false;
    }
    this.#failed += 1;
    const refused = outcome === 'connect_error' || outcome === 'connect_timeout';
    const out = refused || this.#failed > toleratedFailures * (this.#failed + this.#went);
    if (out) this.blockedUntil = now + hold;
    return out;
  }

  started(kbps: number, now: number): void {
    this.#recent = this.recent(now) + kbps;
    this.#recentAt = now;
  }

  /** kbit/s started lately. */
  recent(now: number): number {
    return this.#recent * Math.exp((this.#recentAt - now) / recentSpan);
  }

  #judgeFirstByte(usual: number): void {
    const limit = Math.max(firstByteFloor, firstByteRatio * usual);
    this.slowPenalty = this.firstByte > limit ? Math.min(1, 0.25 * Math.log2(this.firstByte / limit)) : 0;
  }
}
