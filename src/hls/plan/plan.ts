// The plan of a channel: what all edges have agreed on. It says which endpoint the presentation comes from, and which number
// players see for which segment of each of its playlists. Pure.

/** A time in which the presentation comes from one endpoint in one numbering of its own. */
export interface PlanPeriod {
  /** Multiples of `numberStep`, in order; those between are of an edge that goes on by itself. */
  readonly number: number;
  /** The endpoint, as its pin names it. */
  readonly source: string;
  readonly incarnation: string;
  /** Player's discontinuity sequence less origin's. */
  readonly base: number;
  /** It goes on in the numbering of the period before, without a discontinuity: both serve the same segments. */
  readonly shared: boolean;
  /** The edge that appended it. */
  readonly by: string;
  /** Epoch ms by that edge's clock. */
  readonly at: number;
}

/** Segments of one playlist in one period, from one discontinuity to the next. */
export interface Stretch {
  /** Number of the period. */
  readonly period: number;
  /** The origin's number of its first segment. */
  readonly from: number;
  /** The number that players see for that segment. */
  readonly first: number;
  /** Discontinuity sequence number of its segments. */
  readonly discontinuity: number;
  /** Its first segment has a discontinuity before it. */
  readonly tagged: boolean;
  /**
   * open: whoever has listed more says so, and nobody lists it. guess: the same, and `first` is a guess by an edge that
   * has not seen what went before. firm: it stays as it is.
   */
  readonly state: 'open' | 'guess' | 'firm';
  /** Epoch ms of the first segment, where the origin tells. */
  readonly clockMs: number | undefined;
  /** Seconds from there to the end of the origin's list, at the time `at`. */
  readonly behindSeconds: number;
  /** Epoch ms by the clock of the edge that wrote it. */
  readonly at: number;
  /** Seconds a segment, about. */
  readonly segmentSeconds: number;
}

export interface Plan {
  /** The newest last; never empty. */
  readonly periods: readonly PlanPeriod[];
  /** By `listName`; each in order, none empty. */
  readonly lists: ReadonlyMap<string, readonly Stretch[]>;
  /** Epoch ms, about, at which an edge last said that it is in use. */
  readonly usedAt: number;
}

/** From the number of one period to the next: an edge by itself counts between. */
export const numberStep = 1024;
export const maxPeriods = 8;
/** Playlists of a channel that a plan knows; edges number further ones by themselves. */
export const maxLists = 64;
/** Stretches of one playlist. */
export const maxStretches = 8;

/** ms in which an edge does not go back to where others were a moment ago. */
const recentMs = 60_000;
/** Periods that one edge appends within that time: beyond, it does not reach what the others reach. */
export const maxRecent = 4;

/** The periods that were appended lately. */
export function recentOf({ periods }: Plan, clockMs: number): readonly PlanPeriod[] {
  return periods.filter(({ at }) => Math.abs(clockMs - at) < recentMs);
}

/** The period that holds. */
export function presentOf({ periods }: Plan): PlanPeriod {
  const last = periods.at(-1);
  if (last === undefined) throw new Error('A plan without a period.');
  return last;
}

/** The stretches of that playlist in the present period; empty while it has not entered it. */
export function presentStretches(plan: Plan, list: string): readonly Stretch[] {
  const { number } = presentOf(plan);
  return (plan.lists.get(list) ?? []).filter(({ period }) => period === number);
}

/** The newest period with that number or before it which a window of an edge may come from. */
export function agreedNumberOf(period: number): number {
  return Math.floor(period / numberStep) * numberStep;
}
