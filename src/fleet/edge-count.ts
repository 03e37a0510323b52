// Pure: how many edges there are taken to be. The policy that needs to know is cautious with many and bold with few, so a
// larger number is believed at once, and a smaller one only when it has stayed: edges that lost their sessions together come back,
// and an ensemble that was away says nothing of the edges.

/** A smaller number has to stay for so long, in ms, while the list is followed. */
export const fewerAfterMs = 30_000;
/** More than any setting may say. */
const maxEdges = 100_000;

/** The number, and since when the list has shown fewer. */
export interface EdgeCount {
  readonly edges: number;
  /** Monotonic ms; undefined: the list shows as many. */
  readonly fewerSince: number | undefined;
}

/** An edge that knows of no other one. */
export const alone: EdgeCount = { edges: 1, fewerSince: undefined };

/**
 * The count after the list of edges was looked at.
 *
 * @param listed edges in the list; undefined: it cannot be followed now, and the number is held
 * @param now monotonic ms
 */
export function countEdges(count: EdgeCount, listed: number | undefined, now: number): EdgeCount {
  if (listed === undefined) return { edges: count.edges, fewerSince: undefined };
  const edges = Math.min(maxEdges, Math.max(1, listed));
  if (edges >= count.edges) return { edges, fewerSince: undefined };
  const fewerSince = count.fewerSince ?? now;
  return now - fewerSince >= fewerAfterMs ? { edges, fewerSince: undefined } : { edges: count.edges, fewerSince };
}

/** In how many ms the list has to be looked at again even if it does not change; undefined: not at all. */
export function countDueMs({ fewerSince }: EdgeCount, now: number): number | undefined {
  return fewerSince === undefined ? undefined : Math.max(0, fewerSince + fewerAfterMs - now);
}
