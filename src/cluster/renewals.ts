// When a worker that serves is replaced although nobody asked for it: for its memory, or because its settings were rolled
// back. Each replacement may cut off players, so the pauses between two replacements grow.

import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { Replacement } from './watch.js';

/** ms to wait after a replacement that failed. */
const retry: Backoff = { baseMs: 2_000, maxMs: 60_000 };
/** The memory of a younger worker (ms) is not judged. The next one in its slot must be four times as old, and so on. */
const matureAfterMs = 10_000;
const patienceFactor = 4;
/** A worker of this age, in ms, is judged whatever came before. */
const maxPatienceMs = 600_000;
/** After a worker that kept within the limit for so long (ms), counting begins anew. */
const healthyAfterMs = 3_000_000;

export type RenewalCause = Exclude<Replacement, 'stuck'> | 'rollback';

interface History {
  /** Replacements for memory in a row. */
  strikes: number;
  failures: number;
  notBefore: number;
}

/**
 * When each slot may get another worker. One replacement at a time; those that fail are repeated after 2 to 60 seconds.
 */
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
   * @param ageMs of the worker, in ms
   */
  isDue(slot: number, cause: RenewalCause, ageMs: number): boolean {
    const { strikes, notBefore } = this.#of(slot);
    if (this.#underWay || this.#now() < notBefore) return false;
    return cause !== 'memory' || ageMs > matureAgeMs(strikes);
  }

  /** Replaces it; never rejects. `failed` hears why it could not. */
  async run(
    slot: number,
    cause: RenewalCause,
    ageMs: number,
    replace: () => Promise<void>,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const history = this.#of(slot);
    this.#underWay = true;
    try {
      await replace();
      history.failures = 0;
      if (cause === 'memory') history.strikes = ageMs > healthyAfterMs ? 1 : history.strikes + 1;
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
export function matureAgeMs(strikes: number): number {
  return Math.min(maxPatienceMs, matureAfterMs * patienceFactor ** Math.min(strikes, 10));
}
