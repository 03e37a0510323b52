// The processes of all workers: those that start, serve or drain, and those that ended but whose last messages may still
// come.

import type { WorkerProcess } from './worker-process.js';

type Worker = Pick<WorkerProcess, 'state' | 'exited' | 'silent'>;

/** The processes of workers. Each has a number that no other one has or had. */
export class Processes<W extends Worker = WorkerProcess> {
  readonly #all = new Set<W>();
  #started = 0;

  /** @param start makes the worker, with a number that no other one has or had; what it throws is thrown */
  add(start: (id: number) => W): W {
    const worker = start(this.#started + 1);
    this.#started += 1;
    this.#all.add(worker);
    return worker;
  }

  delete(worker: W): void {
    this.#all.delete(worker);
  }

  [Symbol.iterator](): Iterator<W> {
    return this.#all.values();
  }

  /** Resolves when fewer than so many drain, or at once when `isOver` says that nobody will. */
  async roomToDrain(limit: number, isOver: () => boolean): Promise<void> {
    for (;;) {
      const draining = [...this.#all].filter(({ state }) => state === 'draining');
      if (draining.length < limit || isOver()) return;
      await Promise.race(draining.map((worker) => worker.exited));
    }
  }

  /** Resolves when all who are here now are gone, and everything they sent was heard. */
  async silent(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.silent));
  }
}
