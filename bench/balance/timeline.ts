// Simulated time: actions in the order of their time, those of the same time in the order they were planned. Seconds.

interface Planned {
  readonly time: number;
  readonly order: number;
  readonly action: () => void;
}

export class Timeline {
  now = 0;
  readonly #heap: Planned[] = [];
  #planned = 0;

  at(time: number, action: () => void): void {
    const heap = this.#heap;
    const item = { time, order: this.#planned, action };
    this.#planned += 1;
    let i = heap.length;
    heap.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, item)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = item;
  }

  runUntil(end: number): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.time > end) return;
      this.#removeFirst();
      this.now = next.time;
      next.action();
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below !== undefined && right !== undefined && before(right, below)) {
        child += 1;
        below = right;
      }
      if (below === undefined || before(last, below)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
