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
  readonly #byWorker = new Map<number, Map<ServerOrigin, number>>();
  readonly #sums = new Map<ServerOrigin, number>();
  /** Servers whose sum changed since all were told. */
  readonly #changed = new Set<ServerOrigin>();
  readonly #workers: Workers<W>;
  #gathering: NodeJS.Timeout | undefined;

  constructor(workers: Workers<W>, news: News<W>) {
    this.#workers = workers;
    news.on('in-flight', ({ id }, { counts }) => {
      for (const [server, count] of counts) this.#set(id, server, count);
      this.#publishSoon();
    });
  }

  /** It is gone: nothing is in flight there. */
  forget({ id }: W): void {
    for (const server of this.#byWorker.get(id)?.keys() ?? []) this.#set(id, server, 0);
    this.#byWorker.delete(id);
    this.#publishSoon();
  }

  /** All that the other workers have in flight. */
  forNewcomer({ id }: W): InFlight {
    return [...this.#sums.keys()].flatMap((server) => {
      const count = this.#elsewhere(id, server);
      return count > 0 ? [[server, count] as const] : [];
    });
  }

  /** Tells one worker what it may have missed. */
  resend(worker: W): void {
    worker.send({ kind: 'in-flight', counts: this.forNewcomer(worker), whole: true });
  }

  close(): void {
    clearTimeout(this.#gathering);
  }

  #set(id: number, server: ServerOrigin, count: number): void {
    const counts = this.#byWorker.get(id) ?? new Map<ServerOrigin, number>();
    this.#byWorker.set(id, counts);
    const sum = (this.#sums.get(server) ?? 0) + count - (counts.get(server) ?? 0);
    if (count === 0) counts.delete(server);
    else counts.set(server, count);
    if (sum === 0) this.#sums.delete(server);
    else this.#sums.set(server, sum);
    this.#changed.add(server);
  }

  #publishSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      for (const worker of this.#workers.all()) this.#sendChanges(worker);
      this.#changed.clear();
    }, gatherMs);
  }

  #sendChanges(worker: W): void {
    const counts = Array.from(this.#changed, (server) => [server, this.#elsewhere(worker.id, server)] as const);
    if (counts.length > 0) worker.send({ kind: 'in-flight', counts, whole: false });
  }

  /** What all workers but this one have in flight at a server. */
  #elsewhere(id: number, server: ServerOrigin): number {
    return (this.#sums.get(server) ?? 0) - (this.#byWorker.get(id)?.get(server) ?? 0);
  }
}
