// The tags that wait for the next batch, and when that is due: batches follow each other at the distance of mergeWindow.

import type { FlvTag } from './flv/tag.js';

/** Whoever brings more has to pause. */
const maxPendingBytes = 4 * 1024 * 1024;
/** Where there is no more room, the next batch does not wait for longer. */
const maxPauseMs = 100;

/** Bounded: `received` says when whoever brings more has to pause. */
export class PendingTags {
  readonly #mergeWindowMs: number;
  readonly #now: () => number;
  readonly #onDue: () => void;
  #tags: FlvTag[] = [];
  #bytes = 0;
  /** Monotonic ms. */
  #takenAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param mergeWindowMs 0: a batch is due at once
   * @param now monotonic ms
   * @param onDue what waits is to be taken now
   */
  constructor(mergeWindowMs: number, now: () => number, onDue: () => void) {
    this.#mergeWindowMs = mergeWindowMs;
    this.#now = now;
    this.#onDue = onDue;
  }

  get isEmpty(): boolean {
    return this.#tags.length === 0;
  }

  push(tag: FlvTag): void {
    this.#tags.push(tag);
  }

  /** So many bytes were received, of which the tags since the last call are views. Returns whether there is room for more. */
  received(bytes: number): boolean {
    // What was left out keeps nothing in memory.
    if (this.isEmpty) return true;
    this.#bytes += bytes;
    return !this.#isFull;
  }

  /** To be called when something came, or when the last batch is through. */
  schedule(atOnce: boolean): void {
    if (this.isEmpty || (this.#timer !== undefined && !this.#isFull)) return;
    clearTimeout(this.#timer);
    const distanceMs = this.#isFull ? Math.min(this.#mergeWindowMs, maxPauseMs) : this.#mergeWindowMs;
    const waitMs = this.#takenAt + distanceMs - this.#now();
    if (atOnce || waitMs <= 0) this.#onDue();
    else this.#timer = setTimeout(this.#onDue, waitMs);
  }

  /** All that waits, with the bytes that it keeps in memory. */
  take(): { readonly tags: readonly FlvTag[]; readonly bytes: number } {
    this.close();
    const taken = { tags: this.#tags, bytes: this.#bytes };
    this.#tags = [];
    this.#bytes = 0;
    this.#takenAt = this.#now();
    return taken;
  }

  /** Nothing is due any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #isFull(): boolean {
    return this.#bytes >= maxPendingBytes;
  }
}
