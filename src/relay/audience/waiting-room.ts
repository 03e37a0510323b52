// Viewers who wait for a stream to start, each until its own deadline.

import type { Viewer } from './viewer.js';

/** A viewer is in it once at most. Its timers end with `empty` or `delete`. */
export class WaitingRoom {
  readonly #deadlines = new Map<Viewer, NodeJS.Timeout>();
  readonly #onLate: (viewer: Viewer) => void;

  /** @param onLate the viewer's deadline has passed, and it has been removed */
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

  /** Removes and returns all viewers, in the order in which they came. */
  empty(): Viewer[] {
    const viewers = [...this.#deadlines.keys()];
    for (const viewer of viewers) this.delete(viewer);
    return viewers;
  }
}
