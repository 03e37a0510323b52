// Counts what following trees costs and what of them cannot be used: a moment after a change, and notes each new result.

import type { RegistryNote } from './registry.js';
import type { Census } from './tree-census.js';

/** Re-arming all watches of a session takes one packet; at 1,048,575 bytes (`jute.maxbuffer`) the server refuses it. */
const watchedBytesAlarm = 800_000;
export const watchedBytesLimit = 1_000_000;

/** From a change to the count of all nodes. */
const countDelayMs = 1_000;
/** The delay is at least so many times the duration of the last count, which is long with very many nodes. */
const countShare = 50;

/** Nodes that are counted in one turn of the event loop. */
const countedAtOnce = 2_000;

interface CensusSource {
  /** Adds its faults to the counts, and yields after some nodes how many they were. */
  census(to: Census): Iterable<number>;
}

/** The cost of following a tree: nodes, watches and bytes. */
export class TreeAccounts {
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #delayMs = countDelayMs;
  #bytes = -1;
  #sessions = 0;
  #census = '';
  readonly #sources: readonly CensusSource[];
  readonly #shares: readonly { readonly bytes: number }[];
  readonly #note: (note: RegistryNote) => void;

  /** @param shares what each session watches */
  constructor(
    sources: readonly CensusSource[],
    shares: readonly { readonly bytes: number }[],
    note: (note: RegistryNote) => void,
  ) {
    this.#sources = sources;
    this.#shares = shares;
    this.#note = note;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.count(), this.#delayMs);
  }

  /** Counts now, 2,000 nodes in each turn. What changes meanwhile is in the next count. */
  count(): void {
    this.release();
    this.#noteBytes();
    const counts: Census = { skipped: {}, unknown: {} };
    this.#proceed(counts, walk(this.#sources, counts), 0);
  }

  release(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
  }

  /** @param spentMs in the turns before */
  #proceed(counts: Census, left: Iterator<number>, spentMs: number): void {
    const startedAt = performance.now();
    this.#turn = undefined;
    let counted = 0;
    for (let next = left.next(); next.done !== true; next = left.next()) {
      counted += next.value;
      if (counted < countedAtOnce) continue;
      const spent = spentMs + performance.now() - startedAt;
      this.#turn = setImmediate(() => this.#proceed(counts, left, spent));
      return;
    }
    this.#noteCensus(counts);
    this.#delayMs = Math.max(countDelayMs, countShare * (spentMs + performance.now() - startedAt));
  }

  #noteBytes(): void {
    const bytes = this.#shares.reduce((most, share) => Math.max(most, share.bytes), 0);
    const sessions = this.#shares.length;
    if (bytes !== this.#bytes || sessions !== this.#sessions) {
      this.#bytes = bytes;
      this.#sessions = sessions;
      this.#note({ kind: 'watched', bytes, sessions, alarm: bytes >= watchedBytesAlarm });
    }
  }

  #noteCensus(counts: Census): void {
    const census = JSON.stringify(counts);
    if (census === this.#census) return;
    this.#census = census;
    this.#note({ kind: 'census', ...counts });
  }
}

function* walk(sources: readonly CensusSource[], to: Census): Generator<number> {
  for (const source of sources) yield* source.census(to);
}
