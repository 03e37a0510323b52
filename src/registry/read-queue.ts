// Bounds the reads under way. Reads that follow an event go before the rest of a full read.

/** A queue of reads with two priorities. */
export class ReadQueue {
  #running = 0;
  #urgent: (() => void)[] = [];
  #bulk: (() => void)[] = [];
  /** Index of the next one in `#bulk`, which is only emptied as a whole. */
  #next = 0;
  readonly #depth: () => number;

  /** @param depth reads under way at once */
  constructor(depth: () => number) {
    this.#depth = depth;
  }

  /** `start` begins a read. The caller must call `done` once when the read is answered. */
  add(start: () => void, urgent: boolean): void {
    (urgent ? this.#urgent : this.#bulk).push(start);
    this.#fill();
  }

  done(): void {
    this.#running--;
    this.#fill();
  }

  /** Forgets everything. Answers that still arrive must not call `done`. */
  clear(): void {
    this.#running = 0;
    this.#urgent = [];
    this.#bulk = [];
    this.#next = 0;
  }

  #fill(): void {
    while (this.#running < this.#depth()) {
      const start = this.#urgent.shift() ?? this.#bulk[this.#next++];
      if (start === undefined) {
        this.#bulk = [];
        this.#next = 0;
        return;
      }
      this.#running++;
      start();
    }
  }
}
