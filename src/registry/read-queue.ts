// Bounds the reads under way. Reads that follow an event go before the rest of a full read, and at once. Those of a full read
// are sent many at a time: a server that gets them one by one is woken for each, which costs more than all else.

/** First in, first out. Taking from the front of a long array would move all others. */
class Line {
  #waiting: (() => void)[] = [];
  /** Index of the next one. */
  #next = 0;

  push(start: () => void): void {
    this.#waiting.push(start);
  }

  take(): (() => void) | undefined {
    const start = this.#waiting[this.#next];
    if (start === undefined) this.clear();
    else this.#next += 1;
    return start;
  }

  clear(): void {
    this.#waiting = [];
    this.#next = 0;
  }
}

/** A queue of reads with two priorities. */
export class ReadQueue {
  #running = 0;
  readonly #urgent = new Line();
  readonly #bulk = new Line();
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
    this.#urgent.clear();
    this.#bulk.clear();
  }

  #fill(): void {
    const depth = this.#depth();
    this.#send(this.#urgent, depth);
    if (this.#running <= depth / 2) this.#send(this.#bulk, depth);
  }

  #send(line: Line, depth: number): void {
    while (this.#running < depth) {
      const start = line.take();
      if (start === undefined) return;
      this.#running++;
      start();
    }
  }
}
