// Viewers who wait for a stream to start, each until its own deadline.

import type { Viewer } from './viewer.js';

/** A viewer is in it once at most. Its timers end with `empty` or `delete`. */
export class WaitingRoom {
  readonly #deadlines = new Map<Viewer, NodeJS.Timeout>();
  readonly #onLate: (viewer: Viewer) => void;

  /** @param onLate the viewer waited in vain, and is not here any more */
  constructor(onLate: (viewer: Viewer) => void) {
    this.#onLate = onLate;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** It waits from now on, for so long. */
  add(viewer: Viewer, patienceMs: number): void {
    const deadline = setTimeout(() => {
      this.#deadlines.delete(viewer);
      this.#onLate(viewer);
    }, patienceMs);
    this.#deadlines.set(viewer, deadline);
  }

  /** Returns whether it waited. */
  delete(viewer: Viewer): boolean {
    clearTimeout(this.#deadlines.get(viewer));
    return this.#deadlines.delete(viewer);
  }

  /** Everybody, in the order in which they came; nobody waits any more. */
  empty(): Viewer[] {
    const viewers = [...this.#deadlines.keys()];
    for (const viewer of viewers) this.delete(viewer);
    return viewers;
  }
}
