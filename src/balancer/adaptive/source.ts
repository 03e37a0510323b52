// What is known of one source of reports: a server that tells one load for all its channels, or an endpoint with a load of
// its own. What it told, and what we sent there meanwhile.

import type { LoadChange } from './estimate.js';
import { Standing } from './standing.js';

/** Reports of one source closer together than this are one report. ms. */
const sameReportMs = 250;
/** Times its usual spacing after which a report is late. */
const lateFactor = 3;
/** Reports of a source after which its spacing is known, and what it is taken to be at least until then, ms. */
const firstReports = 5;
const minFirstSpacingMs = 5_000;
/** Part of a new report in what is usual for the load, and for the spacing. */
const usualLoadWeight = 0.1;
const usualSpacing = 0.2;
/** Part of an interval in our mean traffic. */
const recentTraffic = 0.5;
/** The first intervals, in which a new edge and a new server find their place, teach nothing. */
const settling = 2;
/** A load from here on may be more than it says, and a change of our share below this part of it is none. */
const full = 0.98;
const steadyPart = 0.25;

/** What a report taught, with what it took since the last one. */
export interface Lesson {
  /** ms between the two reports. */
  readonly elapsedMs: number;
  /** As expected from our mean share in the interval and from that at its end; undefined while that is not known. */
  readonly changes: { readonly byMean: LoadChange; readonly byEnd: LoadChange } | undefined;
  /** Our share stood still and the load is told in full: what it says of the capacity holds. */
  readonly steady: boolean;
  /** Mean score and weight of those it stood beside at our picks; undefined without one. */
  readonly beside: { readonly score: number; readonly weight: number } | undefined;
}

/** The reports of one source, and what we sent there between them. */
export class ReportSource {
  /** Learned capacity relative to those it stands beside, whose mean is 1. */
  weight = 1;
  /** Owed picks, in picks of usual cost (smooth weighted round robin). */
  credit: number;
  /** Own kbit/s in flight. */
  inFlightKbps = 0;
  /** The last known one: a report without a load does not take it back. */
  load: number | undefined;
  /** What its packet loss counts as. */
  penalty = 0;
  /** Usual ms between its reports; 0 when unknown. */
  spacingMs = 0;
  /** Monotonic ms after which its last report is late; without a second one nobody knows what is late. */
  lateAt = Number.POSITIVE_INFINITY;
  /** Mbit/s that our shares keep in flight here. */
  trafficMbps = 0;
  readonly joinedAt: number;
  #reportedAt: number | undefined;
  #reports = 0;
  // Sums over the picks since the last report for which it was a candidate.
  #picks = 0;
  #kbps = 0;
  #scores = 0;
  #weights = 0;
  /** Mbit/s in flight of the picks for which it is a candidate. */
  #reachMbps = 0;
  readonly #standing = new Standing();
  #lastLoad: number | undefined;
  #lastChange = 0;
  #usualLoad = 0;

  constructor(joinedAt: number, credit: number) {
    this.joinedAt = joinedAt;
    this.credit = credit;
  }

  /** A pick of `kbps` for which it was a candidate with this share, beside others of these means. */
  stood(share: number, kbps: number, meanScore: number, meanWeight: number, now: number, holdingMs: number): void {
    this.#picks += 1;
    this.#scores += meanScore;
    this.#weights += meanWeight;
    this.sent(share, kbps, now, holdingMs);
  }

  /** The same without a choice: the pick stayed where its channel was. */
  sent(share: number, kbps: number, now: number, holdingMs: number): void {
    this.#kbps += kbps;
    this.#standing.add(share, kbps, now, holdingMs);
  }

  /**
   * A report.
   * @param holding ms that a pick lasts on average
   * @returns undefined for the first one, and when too little time passed since the last one
   */
  report(load: number | undefined, penalty: number, now: number, holdingMs: number): Lesson | undefined {
    if (load !== undefined) this.load = load;
    this.penalty = penalty;
    const elapsedMs = this.#reportedAt === undefined ? undefined : now - this.#reportedAt;
    if (elapsedMs !== undefined && elapsedMs < sameReportMs) return undefined;
    this.#reportedAt = now;
    this.#reports += 1;
    if (elapsedMs === undefined) {
      this.#tell(load);
      return undefined;
    }
    this.spacingMs += (elapsedMs - this.spacingMs) * (this.spacingMs === 0 ? 1 : usualSpacing);
    const known = this.#reports < firstReports ? Math.max(minFirstSpacingMs, this.spacingMs) : this.spacingMs;
    this.lateAt = now + lateFactor * known;
    return this.#close(load, now, elapsedMs, holdingMs);
  }

  #close(load: number | undefined, now: number, elapsedMs: number, holdingMs: number): Lesson {
    const standing = this.#standing;
    standing.close(now, holdingMs);
    this.#reachMbps += ((this.#kbps * holdingMs) / elapsedMs / 1000 - this.#reachMbps) * recentTraffic;
    this.trafficMbps = (standing.mean.share ?? 0) * this.#reachMbps;
    const still = Math.abs(standing.mean.change) < steadyPart && Math.abs(standing.end.change) < steadyPart;
    const lesson = {
      elapsedMs,
      changes: this.#changes(load),
      steady: load !== undefined && load < full && still,
      beside: this.#picks > 0 ? { score: this.#scores / this.#picks, weight: this.#weights / this.#picks } : undefined,
    };
    this.#picks = 0;
    this.#kbps = 0;
    this.#scores = 0;
    this.#weights = 0;
    this.#tell(load);
    return lesson;
  }

  /** If all load were ours it would have changed by the same part of itself as our share. */
  #changes(load: number | undefined): Lesson['changes'] {
    const last = this.#lastLoad;
    // Full still: by how much more than full nobody knows. What follows is held against the first full one.
    if (load === undefined || last === undefined || (load >= full && last >= full)) return undefined;
    const middle = (load + last) / 2;
    const rest = { observed: load - last, before: this.#lastChange, distance: last - this.#usualLoad };
    const byMean = { expected: this.#standing.mean.change * middle, ...rest };
    const byEnd = { expected: this.#standing.end.change * middle, ...rest };
    this.#standing.mark();
    return this.#standing.intervals > settling ? { byMean, byEnd } : undefined;
  }

  #tell(load: number | undefined): void {
    const last = this.#lastLoad;
    this.#lastLoad = load;
    if (load === undefined) return;
    this.#lastChange = last === undefined ? 0 : load - last;
    this.#usualLoad += (load - this.#usualLoad) * (last === undefined ? 1 : usualLoadWeight);
  }
}
