// One slot for each worker that the settings ask for. Slots are added and retired; their workers are replaced in turn.

import { Slot, type SlotTools, wordsOf } from './slot.js';
import type { EndCause } from './worker-parts.js';
import type { WorkerProcess } from './worker-process.js';

/** All slots of the edge, numbered from 0. `changed` of the tools is called whenever another set of workers serves. */
export class Slots {
  readonly #tools: SlotTools;
  readonly #slots: Slot[] = [];
  #over = false;

  constructor(tools: SlotTools) {
    this.#tools = tools;
  }

  get all(): readonly Slot[] {
    return this.#slots;
  }

  /** The workers that serve, in the order of their slots. */
  get serving(): WorkerProcess[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  /** Resolves when so many workers accept players; rejects when one cannot. */
  async start(count: number): Promise<void> {
    await Promise.all(this.#add(count).map((slot) => slot.start()));
  }

  /** Resolves when each further worker was tried once; one that cannot start now is tried again like one that crashed. */
  async scale(count: number): Promise<void> {
    if (this.#over) return;
    const removed = this.#slots.splice(count);
    for (const slot of removed) slot.retire('reload');
    if (removed.length > 0) this.#tools.changed();
    const added = this.#add(count).map((slot) =>
      slot.replace('reload').catch((error: unknown) => {
        this.#tools.logger.error({ worker: slot.index, error: wordsOf(error) }, 'worker cannot start');
      }),
    );
    await Promise.all(added);
  }

  /**
   * Replaces outdated workers, and those that are missing, one after the other. Rejects with the first failure.
   *
   * @param ready awaited before each
   */
  async replace(
    isOutdated: (worker: WorkerProcess) => boolean,
    cause: EndCause,
    ready: () => Promise<void>,
  ): Promise<void> {
    for (const slot of [...this.#slots]) {
      if (slot.current !== undefined && !isOutdated(slot.current)) continue;
      await ready();
      await slot.replace(cause);
    }
  }

  /** A process has ended: if it was one that served, another one takes its place. */
  lost(worker: WorkerProcess): void {
    for (const slot of this.#slots) slot.lost(worker);
  }

  /** Starts no process any more. Who serves stays until it is ended. */
  close(): void {
    this.#over = true;
    for (const slot of this.#slots) slot.close();
  }

  /** Resolves when nothing is under way any more; after `close`. */
  async idle(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.idle));
  }

  #add(count: number): Slot[] {
    const added: Slot[] = [];
    while (this.#slots.length < count) {
      const slot = new Slot(this.#slots.length, this.#tools);
      this.#slots.push(slot);
      added.push(slot);
    }
    return added;
  }
}
