// Which streams are published now, out of the server's answers and its hooks, which may contradict each other for a moment.
// Pure but for its state: the clock is handed in.

import { type Hook, keyOf, type Stream } from './stream.js';

/**
 * For so long after a hook (ms) an answer does not overrule it: servers call before the stream stands in their API, and an
 * answer may have been written before the call.
 */
const settling = 1_000;

interface Heard {
  readonly hook: Hook;
  readonly at: number;
}

/** The streams that are published now. Times are monotonic ms, handed in. */
export class Presence {
  #streams = new Map<string, Stream>();
  readonly #heard = new Map<string, Heard>();
  readonly #most: number;

  /** @param most streams are held, the first that were found; as many hooks */
  constructor(most: number) {
    this.#most = most;
  }

  /** The streams of the last answer, as the hooks since then changed them. */
  get streams(): readonly Stream[] {
    return [...this.#streams.values()];
  }

  /** An answer to what was asked at `askedAt`, monotonic ms. Returns how many streams were left out. */
  answered(streams: readonly Stream[], askedAt: number): number {
    for (const [key, { at }] of this.#heard) if (at + settling <= askedAt) this.#heard.delete(key);
    const found = new Map<string, Stream>();
    const held = this.#streams;
    for (const stream of streams) {
      const key = keyOf(stream);
      if (this.#heard.get(key)?.hook.kind !== 'unpublished') found.set(key, stream);
    }
    for (const [key, { hook }] of this.#heard) {
      if (hook.kind === 'published' && !found.has(key)) found.set(key, hook.stream);
    }
    // Who is there stays: a flood of new streams evicts nobody.
    const entries = [...found].sort(([a], [b]) => Number(held.has(b)) - Number(held.has(a)));
    this.#streams = new Map(entries.slice(0, this.#most));
    return Math.max(0, found.size - this.#most);
  }

  /** What a hook says, at `now` monotonic ms. True: it changed something. */
  called(hook: Hook, now: number): boolean {
    const key = keyOf(hook.stream);
    const present = this.#streams.get(key);
    if (hook.kind === 'published') {
      // Of one that is there already it says nothing: perhaps a second publisher, who will be refused.
      if (present !== undefined || this.#streams.size >= this.#most) return false;
      this.#streams.set(key, hook.stream);
      this.#hear(key, hook, now);
      return true;
    }
    if (present === undefined) return false;
    // The end of a publisher who was refused is not the end of the stream.
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
      if (this.#heard.size < this.#most) break;
      this.#heard.delete(oldest);
    }
    this.#heard.set(key, { hook, at });
  }
}
