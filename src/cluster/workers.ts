// The workers of an edge, as the ledgers see them.

import type { WorkerProcess } from './worker-process.js';

/** @typeParam W a worker, as far as it is needed */
export interface Workers<W = WorkerProcess> {
  /** Those that serve, in the order of their slots. */
  serving(): readonly W[];
  /** Those that start or drain, too. */
  all(): Iterable<W>;
}
