// Which streams are published now. The server's answers and its hooks say it, and may contradict each other for a moment.
// The clock is handed in.

import { type Hook, keyOf, type Stream } from './stream.js';

/**
 * For so long after a hook, an answer does not overrule it: servers call before the stream is in their API, and an answer may
 * have been written before the call.
 */
const settlingMs = 1_000;

interface Heard {
  readonly hook: Hook;
  readonly at: number;
}

/** The streams that are published now. Times are monotonic ms, handed in. */
export class Presence {
  #streams = new Map<string, Stream>();
  readonly #heard = new Map<string, Heard>();
  readonly #max: number;

  /** @param max bound on the streams that are held, and on the hooks; the first that were found stay */
  constructor(max: number) {
    this.#max = max;
  }

  /** The streams of the last answer with the changes of later hooks. */
  get streams(): readonly Stream[] {
    return [...this.#streams.values()];
  }

  /** An answer to a request that was sent at `askedAt`, monotonic ms. Returns how many streams were left out. */
  answered(streams: readonly Stream[], askedAt: number): number {
    for (const [key, { at }] of this.#heard) if (at + settlingMs <= askedAt) this.#heard.delete(key);
    const found = new Map<string, Stream>();
    const held = this.#streams;
    for (const stream of streams) {
      const key = keyOf(stream);
      if (this.#heard.get(key)?.hook.kind !== 'unpublished') found.set(key, stream);
    }
    for (const [key, { hook }] of this.#heard) {
      if (hook.kind === 'published' && !found.has(key)) found.set(key, hook.stream);
    }
    // Streams that are held stay: a flood of new ones evicts none.
    const entries = [...found].sort(([a], [b]) => Number(held.has(b)) - Number(held.has(a)));
    this.#streams = new Map(entries.slice(0, this.#max));
    return Math.max(0, found.size - this.#max);
  }

  /** A hook came at `now`, monotonic ms. Returns whether it changed something. */
  called(hook: Hook, now: number): boolean {
    const key = keyOf(hook.stream);
    const present = this.#streams.get(key);
    if (hook.kind === 'published') {
      // A stream that is there already does not change: this may be a second publisher, whom the server refuses.
      if (present !== undefined || this.#streams.size >= this.#max) return false;
      this.#streams.set(key, hook.stream);
      this.#hear(key, hook, now);
      return true;
    }
    if (present === undefined) return false;
    // The end of a refused publisher is not the end of the stream.
    const other = present.publisher !== undefined && hook.stream.publisher !== undefined;
    if (other && present.publisher !== hook.stream.publisher) return false;
    this.#streams.delete(key);
    this.#hear(key, hook, now);
    return true;
  }

  /** The server is silent: nothing is known to be there. */
  clear(): void {
    this.#streams.clear();
    this.#heard.clear();
  }

  #hear(key: string, hook: Hook, at: number): void {
    this.#heard.delete(key);
    for (const oldest of this.#heard.keys()) {
      if (this.#heard.size < this.#max) break;
      this.#heard.delete(oldest);
    }
    this.#heard.set(key, { hook, at });
  }
}
