// The numbers that an edge says of its traffic, without the swings of single segments.

/** What an edge does now, all its processes together. */
export interface Vitals {
  /** Processes that serve players; 0: all in one. */
  readonly workers: number;
  /** Open connections of players. */
  readonly viewers: number;
  /** Sent to players. */
  readonly bytesPerSecond: number;
}

/** The time in which a change of the rate shows by 63 %, in ms: some segments of HLS long. */
const timeConstantMs = 10_000;

/** What an edge did lately, from regular looks at it. */
export class Traffic {
  readonly #vitals: () => Vitals;
  #at: number;
  #bytesPerSecond: number;
  #latest: Vitals;

  /** @param now monotonic ms */
  constructor(vitals: () => Vitals, now: number) {
    this.#vitals = vitals;
    this.#at = now;
    this.#latest = vitals();
    this.#bytesPerSecond = this.#latest.bytesPerSecond;
  }

  /** To be called regularly. */
  look(now: number): void {
    this.#latest = this.#vitals();
    const weight = 1 - Math.exp((this.#at - now) / timeConstantMs);
    this.#bytesPerSecond += weight * (this.#latest.bytesPerSecond - this.#bytesPerSecond);
    this.#at = now;
  }

  get numbers(): { readonly workers: number; readonly viewers: number; readonly kbps: number } {
    const { workers, viewers } = this.#latest;
    return { workers, viewers, kbps: Math.round((this.#bytesPerSecond * 8) / 1_000) };
  }
}
