// Deadlines in order, one entry per key: a binary heap that knows the index of each key.

interface Entry<K> {
  readonly key: K;
  deadline: number;
  index: number;
}

/** Finds the next deadline in constant time; a change takes logarithmic time. Deadlines are monotonic ms. */
export class DeadlineQueue<K> {
  readonly #heap: Entry<K>[] = [];
  readonly #entries = new Map<K, Entry<K>>();

  /** The earliest deadline. */
  get first(): { readonly key: K; readonly deadline: number } | undefined {
    return this.#heap[0];
  }

  /** Adds the key or moves its deadline. */
  set(key: K, deadline: number): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, deadline, index: this.#heap.length };
      this.#entries.set(key, entry);
      this.#heap.push(entry);
    }
    entry.deadline = deadline;
    this.#settle(entry);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, entry.index);
    this.#settle(last);
  }

  #place(entry: Entry<K>, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  /** Moves an entry up or down to where its deadline belongs. */
  #settle(entry: Entry<K>): void {
    for (let parent = this.#heap[(entry.index - 1) >> 1]; entry.index > 0 && parent !== undefined; ) {
      if (parent.deadline <= entry.deadline) break;
      const { index } = parent;
      this.#place(parent, entry.index);
      this.#place(entry, index);
      parent = this.#heap[(index - 1) >> 1];
    }
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const smaller = right !== undefined && left !== undefined && right.deadline < left.deadline ? right : left;
      if (smaller === undefined || smaller.deadline >= entry.deadline) return;
      const { index } = smaller;
      this.#place(smaller, entry.index);
      this.#place(entry, index);
    }
  }
}
