// Pure: how many connections each worker may have, so that they spread evenly. All accept from one socket, and without a
// limit whoever wakes first takes most of a burst: 39 of 40 were seen.

/** Connections that a worker may be ahead of the one with the fewest; more when there are many, to ask less often. */
const smallestLead = 16;
const leadShare = 1 / 8;

export interface WorkerLoad {
  /** Connections. */
  readonly open: number;
  /** Whether it has time for more. Nobody leaves connections to one that has not. */
  readonly calm: boolean;
}

/** For each worker: a lead over the fewest that another calm one has; no limit where there is none. */
export function allowances(workers: readonly WorkerLoad[]): number[] {
  const calm = workers.flatMap(({ open, calm }) => (calm ? open : [])).sort((a, b) => a - b);
  const [fewest, second] = calm;
  return workers.map(({ open, calm }) => ahead(calm && open === fewest ? second : fewest));
}

function ahead(others: number | undefined): number {
  if (others === undefined) return Number.POSITIVE_INFINITY;
  return others + Math.max(smallestLead, Math.floor(others * leadShare));
}
