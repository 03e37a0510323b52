// Reads under way at once are bounded; what an event asks for goes before the rest of a full read.

export class ReadQueue {
  private running = 0;
  private urgent: (() => void)[] = [];
  private bulk: (() => void)[] = [];
  /** Index of the next one in `bulk`, which only ever empties as a whole. */
  private next = 0;

  /** depth: reads under way at once. */
  constructor(private readonly depth: number) {}

  /** `start` begins a read; whoever calls this calls `done` once when it is answered. */
  add(start: () => void, urgent: boolean): void {
    (urgent ? this.urgent : this.bulk).push(start);
    this.fill();
  }

  done(): void {
    this.running--;
    this.fill();
  }

  /** Forgets everything; answers still to come must not call `done`. */
  clear(): void {
    this.running = 0;
    this.urgent = [];
    this.bulk = [];
    this.next = 0;
  }

  private fill(): void {
    while (this.running < this.depth) {
      const start = this.urgent.shift() ?? this.bulk[this.next++];
      if (start === undefined) {
        this.bulk = [];
        this.next = 0;
        return;
      }
      this.running++;
      start();
    }
  }
}
