// Pure: how many connections each worker may have, so that they spread evenly. All accept from one socket, and without a
// limit whoever wakes first takes most of a burst: 39 of 40 were seen.

/** Connections that a worker may be ahead of the one with the fewest; more when there are many, to ask less often. */
const smallestLead = 16;
const leadShare = 1 / 8;

/** @param fewest connections of the worker that has the fewest; undefined: there is no other worker to leave them to */
export function allowance(fewest: number | undefined): number {
  if (fewest === undefined) return Number.POSITIVE_INFINITY;
  return fewest + Math.max(smallestLead, Math.floor(fewest * leadShare));
}
