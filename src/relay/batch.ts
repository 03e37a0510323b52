// What waits for the next window, and when that is due: windows follow each other at the distance of mergeWindow.

import type { FlvTag } from './flv-tag.js';

/** Bytes that wait at most; whoever brings more has to pause. */
const capacity = 4 * 1024 * 1024;
/** A batch that is full is not kept waiting for longer than this, in ms. */
const longestPause = 100;

export class Batch {
  readonly #mergeWindow: number;
  readonly #now: () => number;
  readonly #onDue: () => void;
  #tags: FlvTag[] = [];
  #bytes = 0;
  #takenAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param mergeWindow ms; 0 is due at once */
  constructor(mergeWindow: number, now: () => number, onDue: () => void) {
    this.#mergeWindow = mergeWindow;
    this.#now = now;
    this.#onDue = onDue;
  }

  get isEmpty(): boolean {
    return this.#tags.length === 0;
  }

  push(...tags: FlvTag[]): void {
    this.#tags.push(...tags);
  }

  /** So many bytes were received, of which the tags since the last call are views. Returns whether there is room for more. */
  received(bytes: number): boolean {
    // What was left out keeps nothing in memory.
    if (this.isEmpty) return true;
    this.#bytes += bytes;
    return !this.#isFull;
  }

  /** To be called when something came, or when the last window is through. */
  schedule(atOnce: boolean): void {
    if (this.isEmpty || (this.#timer !== undefined && !this.#isFull)) return;
    clearTimeout(this.#timer);
    const distance = this.#isFull ? Math.min(this.#mergeWindow, longestPause) : this.#mergeWindow;
    const wait = this.#takenAt + distance - this.#now();
    if (atOnce || wait <= 0) this.#onDue();
    else this.#timer = setTimeout(this.#onDue, wait);
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

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #isFull(): boolean {
    return this.#bytes >= capacity;
  }
}
