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

interface CensusSource {
  /** Adds its faults to the counts. */
  census(to: Census): void;
}

/** The cost of following a tree: nodes, watches and bytes. */
export class TreeAccounts {
  #timer: NodeJS.Timeout | undefined;
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

  count(): void {
    this.release();
    const startedAt = performance.now();
    this.#noteBytes();
    this.#noteCensus();
    this.#delayMs = Math.max(countDelayMs, countShare * (performance.now() - startedAt));
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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

  #noteCensus(): void {
    const counts: Census = { skipped: {}, unknown: {} };
    for (const source of this.#sources) source.census(counts);
    const census = JSON.stringify(counts);
    if (census === this.#census) return;
    this.#census = census;
    this.#note({ kind: 'census', ...counts });
  }
}
