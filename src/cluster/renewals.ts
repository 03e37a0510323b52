// When a worker that serves is replaced without anybody asking for it: for its memory, or because it has settings that did
// not stay. Each replacement ends with players being cut off, so that none is repeated without a growing pause.

import { type Backoff, backoffDelay } from '../registry/backoff.js';

/** After one that failed, in ms. */
const retry: Backoff = { base: 2_000, max: 60_000 };
/** Memory of a younger worker (ms) is not judged. Four times as old must be the next one in its slot, and so on. */
const matureAfter = 10_000;
const patienceFactor = 4;
/** The oldest, in ms, that a worker has to be. */
const mostPatience = 600_000;
/** One that was within the limit for so long (ms) makes up for those before it. */
const healthyAfter = 3_000_000;

export type RenewalCause = 'memory' | 'rollback';

interface History {
  /** Replacements for memory in a row. */
  strikes: number;
  failures: number;
  notBefore: number;
}

export class Renewals {
  readonly #slots = new Map<number, History>();
  readonly #now: () => number;
  readonly #random: () => number;
  #underWay = false;

  /** @param now monotonic ms */
  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /**
   * Whether the worker of this slot may be replaced now. One at a time: their players would all be cut off at once.
   * @param age of the worker, in ms
   */
  isDue(slot: number, cause: RenewalCause, age: number): boolean {
    const { strikes, notBefore } = this.#of(slot);
    if (this.#underWay || this.#now() < notBefore) return false;
    return cause !== 'memory' || age > patience(strikes);
  }

  /** Replaces it; never rejects. `failed` hears why it could not. */
  async run(
    slot: number,
    cause: RenewalCause,
    age: number,
    replace: () => Promise<void>,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const history = this.#of(slot);
    this.#underWay = true;
    try {
      await replace();
      history.failures = 0;
      if (cause === 'memory') history.strikes = age > healthyAfter ? 1 : history.strikes + 1;
    } catch (error) {
      history.notBefore = this.#now() + backoffDelay(history.failures, retry, this.#random);
      history.failures += 1;
      failed(error);
    } finally {
      this.#underWay = false;
    }
  }

  #of(slot: number): History {
    const known = this.#slots.get(slot);
    if (known !== undefined) return known;
    const history = { strikes: 0, failures: 0, notBefore: Number.NEGATIVE_INFINITY };
    this.#slots.set(slot, history);
    return history;
  }
}

/** How old, in ms, a worker has to be before its memory is judged, after so many replacements in a row. */
export function patience(strikes: number): number {
  return Math.min(mostPatience, matureAfter * patienceFactor ** Math.min(strikes, 10));
}
