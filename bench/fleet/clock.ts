// The clock of a simulation: time goes to whatever is due next. A heap, since a thousand edges have several waits each.

import type { FleetClock } from '../../src/fleet/clock.js';
import { settled } from '../../test/support/hand-clock.js';

interface Due {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

const isBefore = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.order < b.order);

export class SimulatedClock implements FleetClock {
  readonly #heap: Due[] = [];
  readonly random: () => number;
  #now = 0;
  #order = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const due: Due = { at: this.#now + ms, order: this.#order++, run };
    this.#push(due);
    return () => {
      due.run = undefined;
    };
  }

  /** Lets so many ms pass. All that is due at one time is done together, and what follows from it before time goes on. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const at = this.#heap[0]?.at;
      if (at === undefined || at > end) break;
      this.#now = Math.max(this.#now, at);
      while ((this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#now) this.#pop()?.run?.();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(due, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}
