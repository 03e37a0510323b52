// Pure: whether a channel's HLS stays where it is. Origins package on their own, so a playlist of one and a segment of
// another do not fit: moving costs every player something, and a small difference in load is not worth it.

import type { Candidate } from './policy.js';

/**
 * The index of the endpoint to stay on, or -1 to pick anew: it is no longer eligible, or its score is more than `margin`
 * above the lowest one.
 * @param score lower is better
 */
export function stay(
  current: string | undefined,
  candidates: readonly Candidate[],
  margin: number,
  score: (candidate: Candidate) => number,
): number {
  if (current === undefined || margin <= 0) return -1;
  const index = candidates.findIndex((candidate) => candidate.endpoint.id === current);
  const mine = candidates[index];
  if (mine === undefined) return -1;
  const lowest = Math.min(...candidates.map(score));
  return score(mine) - lowest <= margin ? index : -1;
}
