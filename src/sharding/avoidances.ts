// Pure: what is avoided for a while after it failed. Each further failure soon after doubles the time.

/** ms of the first avoidance, and of the longest one. */
const firstMs = 2_000;
const longestMs = 60_000;

interface Avoidance {
  /** Monotonic ms. */
  until: number;
  ms: number;
  /** False: its time is over, and a failure now is a further one. */
  isOn: boolean;
  times: number;
}

/** Keys that are avoided, and those that were not long ago. At most `limit` of them: the oldest goes. */
export class Avoidances {
  readonly #all = new Map<string, Avoidance>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#all.size;
  }

  has(key: string): boolean {
    return this.#all.get(key)?.isOn === true;
  }

  /** How often it failed lately. */
  times(key: string): number {
    return this.#all.get(key)?.times ?? 0;
  }

  /** It failed. Returns a key that had to make room. @param now monotonic ms */
  add(key: string, now: number): string | undefined {
    const before = this.#all.get(key);
    if (before?.isOn === true) return undefined;
    const ms = before === undefined ? firstMs : Math.min(before.ms * 2, longestMs);
    this.#all.delete(key);
    this.#all.set(key, { until: now + ms, ms, isOn: true, times: (before?.times ?? 0) + 1 });
    const [oldest] = this.#all.keys();
    if (this.#all.size <= this.#limit || oldest === undefined) return undefined;
    this.#all.delete(oldest);
    return oldest;
  }

  delete(key: string): void {
    this.#all.delete(key);
  }

  /** The keys whose time is over at `now` (monotonic ms). Each is forgotten after as long again without a failure. */
  expire(now: number): string[] {
    const over: string[] = [];
    for (const [key, avoidance] of this.#all) {
      if (now < avoidance.until) continue;
      if (avoidance.isOn) {
        avoidance.isOn = false;
        avoidance.until = now + avoidance.ms;
        over.push(key);
      } else this.#all.delete(key);
    }
    return over;
  }
}
