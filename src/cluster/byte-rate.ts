// How many bytes a process sends to players each second.

import type { Metrics } from '../metrics.js';

/** All that this process sent to players, in bytes. */
export function sentBytes({ traffic }: Metrics): number {
  return Object.values(traffic.sent).reduce((sum, bytes) => sum + bytes, 0);
}

/** The growth of a count, by the second. */
export class ByteRate {
  readonly #count: () => number;
  readonly #now: () => number;
  #before: number;
  #at: number;

  /** @param now monotonic ms */
  constructor(count: () => number, now: () => number) {
    this.#count = count;
    this.#now = now;
    this.#before = count();
    this.#at = now();
  }

  /** Bytes a second since it was read last. */
  read(): number {
    const [count, now] = [this.#count(), this.#now()];
    const seconds = (now - this.#at) / 1_000;
    const rate = seconds > 0 ? (count - this.#before) / seconds : 0;
    this.#before = count;
    this.#at = now;
    return rate;
  }
}
