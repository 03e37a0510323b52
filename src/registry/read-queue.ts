// Reads under way at once are bounded; what an event asks for goes before the rest of a full read.

/** A queue of reads with two priorities. */
export class ReadQueue {
  #running = 0;
  #urgent: (() => void)[] = [];
  #bulk: (() => void)[] = [];
  /** Index of the next one in `bulk`, which only ever empties as a whole. */
  #next = 0;
  readonly #depth: () => number;

  /** @param depth reads under way at once */
  constructor(depth: () => number) {
    this.#depth = depth;
  }

  /** `start` begins a read; whoever calls this calls `done` once when it is answered. */
  add(start: () => void, urgent: boolean): void {
    (urgent ? this.#urgent : this.#bulk).push(start);
    this.#fill();
  }

  done(): void {
    this.#running--;
    this.#fill();
  }

  /** Forgets everything; answers still to come must not call `done`. */
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
