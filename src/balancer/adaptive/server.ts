// What is known of one server: how its requests go, and whether its endpoints report one load or several.

import type { Outcome } from '../policy.js';
import type { ReportSource } from './source.js';

/** ms that a slow first byte may take anyhow, and times the usual one, before it counts against a server. */
const firstByteFloorMs = 250;
const firstByteRatio = 3;
/** Share of requests that may fail before a server counts as failed; a connection refused counts at once. */
const toleratedFailures = 0.05;
/** ms over which `recent` reaches back. */
const recentSpanMs = 60_000;
/** Reports over which their agreement is averaged. */
const agreement = 60;
/** What the newest report misses by before any comparison: one that fits by chance is no agreement. */
const assumedMiss = 0.1;
/** The newest report tells an endpoint's next one when it misses by less than this, and this part of what its own misses by. */
const sameLoad = 0.02;
const clearlyLess = 0.5;

/** What the policy knows of one server: failures, first bytes, and whether its endpoints report one load. */
export class ServerRecord {
  /** The load that all its endpoints tell, where they tell one; the newest known one of any of them. */
  readonly source: ReportSource;
  /** Monotonic ms until which it gets nothing after a failure. */
  blockedUntil = 0;
  /** Usual ms to its first byte; 0 when unknown. */
  firstByteMs = 0;
  slowPenalty = 0;
  #teller: ReportSource | undefined;
  #compared = 1;
  #missedByOwn = 0;
  #missedByNewest = assumedMiss;
  #failed = 0;
  #went = 0;
  #recent = 0;
  #recentAt = 0;

  constructor(source: ReportSource) {
    this.source = source;
  }

  /** Whether its reports are one load: the last report of any endpoint predicts the next one of another clearly better. */
  get agrees(): boolean {
    return this.#compared === 1 || this.#missedByNewest <= sameLoad + clearlyLess * this.#missedByOwn;
  }

  /** An endpoint tells a load; before its source and that of the server take it in. */
  compare(teller: ReportSource, load: number): void {
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
  reported(usualFirstByteMs: number): void {
    this.blockedUntil = 0;
    this.#failed = 0;
    this.#went = 0;
    if (this.firstByteMs > usualFirstByteMs) this.firstByteMs += 0.3 * (usualFirstByteMs - this.firstByteMs);
    this.#judgeFirstByte(usualFirstByteMs);
  }

  /** The first byte took `elapsed` ms, where `usual` is what it takes anywhere. */
  answered(elapsedMs: number, usualMs: number): void {
    this.#went += 1;
    this.firstByteMs += (elapsedMs - this.firstByteMs) * (this.firstByteMs === 0 ? 1 : 0.2);
    this.#judgeFirstByte(usualMs);
  }

  /**
   * A pick ended; a failure keeps the server out for `hold` ms, or until it reports again.
   * @returns whether it is out from now on
   */
  ended(outcome: Outcome, now: number, holdMs: number): boolean {
    if (outcome === 'abandoned') return false;
    if (outcome === 'success') {
      this.#went += 1;
      return false;
    }
    this.#failed += 1;
    const refused = outcome === 'connect_error' || outcome === 'connect_timeout';
    const out = refused || this.#failed > toleratedFailures * (this.#failed + this.#went);
    if (out) this.blockedUntil = now + holdMs;
    return out;
  }

  started(kbps: number, now: number): void {
    this.#recent = this.recent(now) + kbps;
    this.#recentAt = now;
  }

  /** kbit/s started lately. */
  recent(now: number): number {
    return this.#recent * Math.exp((this.#recentAt - now) / recentSpanMs);
  }

  #judgeFirstByte(usual: number): void {
    const limit = Math.max(firstByteFloorMs, firstByteRatio * usual);
    this.slowPenalty = this.firstByteMs > limit ? Math.min(1, 0.25 * Math.log2(this.firstByteMs / limit)) : 0;
  }
}
