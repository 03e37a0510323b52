// What the workers have in flight. Each hears what all others have, so that a pick counts the load of the whole edge, not
// that of one process.

import type { ServerOrigin } from '../model.js';
import type { InFlight } from './messages.js';
import type { News } from './news.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

/** Milliseconds in which reports of several workers are gathered before all hear of them. */
const gatherMs = 20;

type Worker = Pick<WorkerProcess, 'id' | 'send'>;

/** What each worker has in flight, by server. Sends each worker the sum of the others at most every 20 ms. */
export class InFlightLedger<W extends Worker = WorkerProcess> {
  readonly #byWorker = new Map<number, InFlight>();
  readonly #workers: Workers<W>;
  #gathering: NodeJS.Timeout | undefined;

  constructor(workers: Workers<W>, news: News<W>) {
    this.#workers = workers;
    news.on('in-flight', ({ id }, { counts }) => {
      this.#byWorker.set(id, counts);
      this.#publishSoon();
    });
  }

  /** It is gone: nothing is in flight there. */
  forget({ id }: W): void {
    this.#byWorker.delete(id);
    this.#publishSoon();
  }

  /** Sends one worker the present sums. */
  resend(worker: W): void {
    worker.send({ kind: 'in-flight', counts: this.#elsewhere(worker.id) });
  }

  close(): void {
    clearTimeout(this.#gathering);
  }

  #publishSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      for (const worker of this.#workers.all()) this.resend(worker);
    }, gatherMs);
  }

  /** What all workers but this one have in flight. */
  #elsewhere(id: number): InFlight {
    const sums = new Map<ServerOrigin, number>();
    for (const [other, counts] of this.#byWorker) {
      if (other === id) continue;
      for (const [server, count] of counts) sums.set(server, (sums.get(server) ?? 0) + count);
    }
    return [...sums];
  }
}
