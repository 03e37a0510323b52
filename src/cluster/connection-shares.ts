// How many connections each worker may have, so that they spread evenly. All accept from one socket. Without a limit the
// worker that wakes first takes most of a burst: 39 of 40 were seen.

import type { News } from './news.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

/** Connections that a worker may be ahead of the one with the fewest; more when there are many, to ask less often. */
const minLead = 16;
const leadShare = 1 / 8;
/** A worker that missed so many heartbeats, or whose event loop was this busy, gets no connections left by the others. */
const silentAfter = 2;
const busyFrom = 0.9;

export interface WorkerLoad {
  /** Connections. */
  readonly open: number;
  /** Whether it has time for more. No other worker leaves connections to one that has not. */
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
  return others + Math.max(minLead, Math.floor(others * leadShare));
}

type Worker = Pick<WorkerProcess, 'intake' | 'silentTicks' | 'utilization' | 'allow'>;

/** Tells each worker how many connections it may have, whenever one reports a change. */
export class ConnectionShares<W extends Worker = WorkerProcess> {
  readonly #workers: Workers<W>;

  constructor(workers: Workers<W>, news: News<W>) {
    this.#workers = workers;
    news.on('intake', () => this.share());
  }

  /** Each may be somewhat ahead of the one with the fewest. A worker that stopped accepting hears when it may go on. */
  share(): void {
    const workers = this.#workers.serving();
    const loads = workers.map(({ intake, silentTicks, utilization }) => ({
      open: intake.open,
      calm: silentTicks < silentAfter && utilization < busyFrom,
    }));
    for (const [index, allowance] of allowances(loads).entries()) workers[index]?.allow(allowance);
  }
}
