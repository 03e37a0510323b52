// What a stream turns out to be: bitrate and keyframe distance, measured on its own clock.

import type { FlvTag } from './tag.js';

/** How much media one measurement of the bitrate covers. */
const measuredMs = 2_000;

/** Measures as the tags come; nothing is kept of them. */
export class Meter {
  #bytes = 0;
  #since: number | undefined;
  #bytesPerSecond: number | undefined;
  #keyframe: number | undefined;
  #groupMs: number | undefined;

  /** Bytes of media per second of media; undefined until enough was seen. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }
  /** From the last keyframe but one to the last; undefined before two came. */
  get groupMs(): number | undefined {
    return this.#groupMs;
  }

  /** Takes tags with continuous timestamps. */
  add(tag: FlvTag): void {
    if (tag.keyframe) {
      if (this.#keyframe !== undefined) this.#groupMs = (tag.timestamp - this.#keyframe) | 0;
      this.#keyframe = tag.timestamp;
    }
    this.#bytes += tag.body.length;
    this.#since ??= tag.timestamp;
    const spanMs = (tag.timestamp - this.#since) | 0;
    if (spanMs < measuredMs) return;
    this.#bytesPerSecond = (this.#bytes * 1000) / spanMs;
    this.#bytes = 0;
    this.#since = tag.timestamp;
  }
}
