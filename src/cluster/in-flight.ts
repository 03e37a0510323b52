// Sums up what the workers have in flight, for each worker that of all others: a pick takes the load of the whole edge
// into account, not that of one process.

import type { ServerOrigin } from '../model.js';
import type { InFlight } from './messages.js';

export class InFlightSums {
  readonly #byWorker = new Map<number, InFlight>();

  report(worker: number, counts: InFlight): void {
    this.#byWorker.set(worker, counts);
  }

  forget(worker: number): void {
    this.#byWorker.delete(worker);
  }

  /** What all workers but this one have in flight. */
  elsewhere(worker: number): InFlight {
    const sums = new Map<ServerOrigin, number>();
    for (const [other, counts] of this.#byWorker) {
      if (other === worker) continue;
      for (const [server, count] of counts) sums.set(server, (sums.get(server) ?? 0) + count);
    }
    return [...sums];
  }
}
