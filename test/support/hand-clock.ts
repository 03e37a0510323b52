// A clock that is turned by hand, and runs what is due.

import type { FleetClock } from '../../src/fleet/clock.js';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class HandClock implements FleetClock {
  #now = 0;
  #order = 0;
  readonly #due = new Set<Due>();
  /** What `random` gives. */
  chance: () => number = () => 0.5;

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance();
  }

  after(ms: number, run: () => void): () => void {
    const due = { at: this.#now + ms, order: this.#order++, run };
    this.#due.add(due);
    return () => this.#due.delete(due);
  }

  /** What waits for its time. */
  get waiting(): number {
    return this.#due.size;
  }

  /** Lets so many ms pass, and all that follows from what is due in them. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = [...this.#due].sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined || next.at > end) break;
      this.#due.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

/** All promises that can go on have done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
