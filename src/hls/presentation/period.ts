// A period is a time in which the numbering of one origin holds. A switch to another endpoint begins a new one, and so does
// an origin that counts anew. All playlists of the channel pass through the same periods, each at its next refresh. Pure.

import type { Entry } from './live-window.js';

/** What the playlists of a channel have in common. */
export interface Period {
  readonly number: number;
  /** The endpoint, as its pin names it. */
  readonly source: string;
  /** The present incarnation of each endpoint; an endpoint gets another one when it counts anew. */
  readonly incarnations: ReadonlyMap<string, string>;
  /** Player's discontinuity sequence less origin's; undefined until the first playlist has entered the period. */
  readonly base: number | undefined;
  /** `base` of the period before: it stays when both share their packaging. */
  readonly baseBefore: number | undefined;
  /** Where the first playlist of the channel entered the period. */
  readonly splicePoint: SplicePoint | undefined;
  /** Whether this origin goes on in the numbering of the one before; undefined: not decided. */
  readonly shared: boolean | undefined;
  /** Highest discontinuity sequence number that any playlist has listed; -1 before the first. */
  readonly top: number;
}

/** The point at which one playlist of a channel went over to another origin. The others follow at the same one. */
export interface SplicePoint {
  /** The origin's number of the first segment behind it, in that playlist. */
  readonly sequence: number;
  /** Epoch ms of that segment, where the origin tells. */
  readonly clockMs: number | undefined;
  /** Seconds from there to the end of the origin's list, at the time `at`. */
  readonly behindSeconds: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** Endpoints whose incarnations are remembered. */
const maxIncarnations = 32;
/**
 * Discontinuities by which a playlist may be ahead of what any has listed: whatever origins count, the numbers stay
 * small.
 */
const maxAhead = 1_000;

/** The period that a session begins with. @param source the endpoint, as its pin names it */
export function firstPeriod(source: string): Period {
  return {
    number: 0,
    source,
    incarnations: new Map(),
    base: 0,
    baseBefore: undefined,
    splicePoint: undefined,
    shared: undefined,
    top: -1,
  };
}

/** Whether a step computed in one period holds in the other. */
export function isSamePeriod(one: Period, other: Period): boolean {
  if (one === other) return true;
  const incarnations =
    one.incarnations === other.incarnations || (one.incarnations.size === 0 && other.incarnations.size === 0);
  const fields = ['number', 'source', 'base', 'baseBefore', 'splicePoint', 'shared', 'top'] as const;
  return incarnations && fields.every((name) => one[name] === other[name]);
}

/** The channel moves to another endpoint. */
export function moveTo(period: Period, source: string): Period {
  return {
    ...period,
    number: period.number + 1,
    source,
    base: undefined,
    // When no playlist entered the period that ends, the base of the period before it still counts.
    baseBefore: period.base ?? period.baseBefore,
    splicePoint: undefined,
    shared: undefined,
  };
}

/** The same endpoint counts anew. */
export function startIncarnation(period: Period, incarnation: string): Period {
  const incarnations = new Map(period.incarnations);
  incarnations.delete(period.source);
  incarnations.set(period.source, incarnation);
  for (const oldest of incarnations.keys()) {
    if (incarnations.size <= maxIncarnations) break;
    incarnations.delete(oldest);
  }
  return { ...moveTo(period, period.source), incarnations, shared: false };
}

/** The incarnation of the period's endpoint; `''` is its first. */
export function incarnationOf(period: Period): string {
  return period.incarnations.get(period.source) ?? '';
}

/**
 * Player's discontinuity sequence number for what is `counted` by the period's origin. The first to enter a period
 * counts for all: beyond what any playlist has listed.
 *
 * @param min what this playlist needs: its own tags count too, and no number is below 0
 */
export function agreedNumber({ base, top }: Period, counted: number, min: number): number {
  if (base === undefined) return Math.max(top + 1, min);
  return Math.max(top === -1 ? base + counted : Math.min(base + counted, top + maxAhead), min);
}

/** After these entries were listed. */
export function raised(period: Period, appended: readonly Entry[]): Period {
  const top = appended.at(-1)?.discontinuitySequence ?? -1;
  return top > period.top ? { ...period, top } : period;
}
