// What the workers have in flight: each is told what all others have, so that a pick takes the load of the whole edge into
// account, not that of one process.

import type { ServerOrigin } from '../model.js';
import type { InFlight } from './messages.js';
import type { News } from './news.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

/** Milliseconds in which reports of several workers are gathered before all hear of them. */
const gatherWindow = 20;

type Worker = Pick<WorkerProcess, 'id' | 'send'>;

export class InFlightLedger<W extends Worker = WorkerProcess> {
  readonly #byWorker = new Map<number, InFlight>();
  readonly #workers: Workers<W>;
  #gathering: NodeJS.Timeout | undefined;

  constructor(workers: Workers<W>, news: News<W>) {
    this.#workers = workers;
    news.on('in-flight', ({ id }, { counts }) => {
      this.#byWorker.set(id, counts);
      this.#tellSoon();
    });
  }

  /** It is gone: nothing is in flight there. */
  forget({ id }: W): void {
    this.#byWorker.delete(id);
    this.#tellSoon();
  }

  /** Tells one worker what it may have missed. */
  tellAgain(worker: W): void {
    worker.send({ kind: 'in-flight', counts: this.#elsewhere(worker.id) });
  }

  close(): void {
    clearTimeout(this.#gathering);
  }

  #tellSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      for (const worker of this.#workers.all()) this.tellAgain(worker);
    }, gatherWindow);
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
