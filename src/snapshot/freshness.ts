// When the snapshot was last known to be true.

import type { SnapshotState } from '../model.js';

/** Epoch milliseconds that never step back while the process runs. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** When the snapshot was last known to be true. All times are epoch ms. */
export class Freshness {
  #knownAt: number;
  #live = false;

  readonly #now: () => number;

  constructor(now: () => number = wallClock) {
    this.#now = now;
    this.#knownAt = now();
  }

  /** The snapshot comes from a file, and was true at `savedAt` (epoch ms). */
  restored(savedAt: number): void {
    this.#knownAt = savedAt;
  }

  changed(state: SnapshotState): void {
    const live = state === 'live';
    if (this.#live && !live) this.#knownAt = this.#now();
    this.#live = live;
  }

  get live(): boolean {
    return this.#live;
  }

  /** When the snapshot was last known to be true, in epoch ms. */
  get knownAt(): number {
    return this.#live ? this.#now() : this.#knownAt;
  }

  ageSeconds(): number {
    return Math.max(0, this.#now() - this.knownAt) / 1000;
  }
}
