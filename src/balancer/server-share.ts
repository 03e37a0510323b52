// What the adaptive policy knows of one server.

import type { Outcome } from './policy.js';

/** Reports of one server closer together than this, of its several channels, are one report. ms. */
const SAME_REPORT = 250;
/** Report intervals after which a report is late. */
const LATE = 2;
/** ms that a slow first byte may take anyhow, and times the usual one, before it counts against a server. */
const FIRST_BYTE_FLOOR = 250;
const FIRST_BYTE_RATIO = 3;
/** Share of requests that may fail before a server counts as failed; a connection refused counts at once. */
const TOLERATED_FAILURES = 0.05;
/** ms over which `recent` reaches back. */
const RECENT = 60_000;

/** Sums over the picks between two reports in which the server was a candidate. */
interface Window {
  picks: number;
  /** Share × number of candidates: 1 is an equal share. */
  share: number;
  /** Mean score of those it stood beside, itself included. */
  score: number;
  /** Their mean weight. */
  weight: number;
}

/** What a window taught, handed to whom closes it. */
export interface Lesson {
  /** ms between the two reports. */
  readonly elapsed: number;
  readonly share: number;
  readonly score: number;
  readonly weight: number;
  /** Since the window before; undefined without one. */
  readonly change: { readonly predicted: number; readonly observed: number } | undefined;
}

export class ServerShare {
  /** Learned capacity relative to the servers it stands beside, whose mean is 1. */
  weight = 1;
  /** Owed picks, in picks of usual cost (smooth weighted round robin). */
  credit: number;
  /** Own kbit/s in flight. */
  inFlight = 0;
  load: number | undefined;
  penalty = 0;
  /** Monotonic ms of the last report; undefined before the first. */
  reportedAt: number | undefined;
  /** Usual ms between its reports; 0 when unknown. */
  spacing = 0;
  /** Monotonic ms after which its last report is late; without a second one nobody knows what is late. */
  lateAt = Number.POSITIVE_INFINITY;
  /** Monotonic ms until which it gets nothing after a failure. */
  blockedUntil = 0;
  /** Usual ms to its first byte; 0 when unknown. */
  firstByte = 0;
  slowPenalty = 0;
  /** Lower is better; an unknown load counts as none, since it is compared with its like only. */
  score = 0;
  readonly joinedAt: number;
  #window: Window = { picks: 0, share: 0, score: 0, weight: 0 };
  #before: { readonly share: number; readonly load: number; readonly score: number } | undefined;
  #failed = 0;
  #went = 0;
  #recent = 0;
  #recentAt = 0;

  constructor(joinedAt: number, credit: number) {
    this.joinedAt = joinedAt;
    this.credit = credit;
  }

  /** A pick among `count` candidates, of which it was one. */
  stood(share: number, count: number, meanScore: number, meanWeight: number): void {
    const window = this.#window;
    window.picks += 1;
    window.share += share * count;
    window.score += meanScore;
    window.weight += meanWeight;
  }

  /** A report. Returns what the time since the last one taught: undefined when nothing was picked, or too little time passed. */
  report(load: number | undefined, penalty: number, now: number): Lesson | undefined {
    const elapsed = this.reportedAt === undefined ? undefined : now - this.reportedAt;
    this.load = load;
    this.penalty = penalty;
    this.#rate();
    if (elapsed !== undefined && elapsed < SAME_REPORT) return undefined;
    if (elapsed !== undefined) this.spacing += (elapsed - this.spacing) * (this.spacing === 0 ? 1 : 0.2);
    this.reportedAt = now;
    if (this.spacing > 0) this.lateAt = now + LATE * this.spacing;
    this.blockedUntil = 0;
    this.#failed = 0;
    this.#went = 0;
    return this.#close(elapsed);
  }

  #close(elapsed: number | undefined): Lesson | undefined {
    const { picks, share, score, weight } = this.#window;
    this.#window = { picks: 0, share: 0, score: 0, weight: 0 };
    if (picks === 0) return undefined;
    const before = this.#before;
    const after = this.load === undefined ? undefined : { share: share / picks, load: this.load, score: this.score };
    this.#before = after;
    if (elapsed === undefined) return undefined;
    const change = before && after && { predicted: predict(before, after), observed: after.score - before.score };
    return { elapsed, share: share / picks, score: score / picks, weight: weight / picks, change };
  }

  /** The first byte took `elapsed` ms, where `usual` is what it takes anywhere. */
  answered(elapsed: number, usual: number): void {
    this.#went += 1;
    this.firstByte += (elapsed - this.firstByte) * (this.firstByte === 0 ? 1 : 0.2);
    this.#judgeFirstByte(usual);
  }

  #judgeFirstByte(usual: number): void {
    const limit = Math.max(FIRST_BYTE_FLOOR, FIRST_BYTE_RATIO * usual);
    this.slowPenalty = this.firstByte > limit ? Math.min(1, 0.25 * Math.log2(this.firstByte / limit)) : 0;
    this.#rate();
  }

  #rate(): void {
    this.score = (this.load ?? 0) + this.penalty + this.slowPenalty;
  }

  /** Since picks bring the only news of its first bytes, a slow server is forgiven step by step to be tried again. */
  forgive(usual: number): void {
    if (this.firstByte > usual) this.firstByte += 0.3 * (usual - this.firstByte);
    this.#judgeFirstByte(usual);
  }

  /** A pick ended; a failure keeps the server out for `hold` ms, or until it reports again. */
  ended(outcome: Outcome, now: number, hold: number): void {
    if (outcome === 'abandoned') return;
    if (outcome === 'success') {
      this.#went += 1;
      return;
    }
    this.#failed += 1;
    const refused = outcome === 'connect_error' || outcome === 'connect_timeout';
    if (refused || this.#failed > TOLERATED_FAILURES * (this.#failed + this.#went)) this.blockedUntil = now + hold;
  }

  started(kbps: number, now: number): void {
    this.#recent = this.recent(now) + kbps;
    this.#recentAt = now;
  }

  /** kbit/s started lately. */
  recent(now: number): number {
    return this.#recent * Math.exp((this.#recentAt - now) / RECENT);
  }
}

/** If all its load were picks that follow our share: the load changes by the same factor as the share. */
function predict(before: { share: number; load: number }, after: { share: number; load: number }): number {
  const share = Math.max(0.05, (before.share + after.share) / 2);
  return (((before.load + after.load) / 2) * (after.share - before.share)) / share;
}
