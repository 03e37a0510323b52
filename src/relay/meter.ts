// What a stream turns out to be: bitrate and keyframe distance, measured on its own clock.

import type { FlvTag } from './flv-tag.js';

/** How much media one measurement of the bitrate covers, in ms. */
const period = 2_000;

export class Meter {
  #bytes = 0;
  #since: number | undefined;
  #bytesPerSecond: number | undefined;
  #keyframe: number | undefined;
  #groupLength: number | undefined;

  /** Bytes of media per second of media; undefined until enough was seen. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }
  /** ms from the last keyframe but one to the last. */
  get groupLength(): number | undefined {
    return this.#groupLength;
  }

  /** Takes tags with continuous timestamps. */
  add(tag: FlvTag): void {
    if (tag.keyframe) {
      if (this.#keyframe !== undefined) this.#groupLength = (tag.timestamp - this.#keyframe) | 0;
      this.#keyframe = tag.timestamp;
    }
    this.#bytes += tag.body.length;
    this.#since ??= tag.timestamp;
    const span = (tag.timestamp - this.#since) | 0;
    if (span < period) return;
    this.#bytesPerSecond = (this.#bytes * 1000) / span;
    this.#bytes = 0;
    this.#since = tag.timestamp;
  }
}
