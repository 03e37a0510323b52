// Pure: whether a stream's pictures come now. A camera may be switched off while the sound goes on, for seconds or for
// ever; whoever joins then must not wait for a keyframe.

import { type FlvTag, tagType } from './tag.js';

/** So much sound without a picture, and there is only sound. SRS guesses so after 115 packets: 2.7 s at 44.1 kHz. */
const patienceMs = 2_500;
/** Pictures that come far apart (slides) are away only after twice their distance. Longer ones are not believed. */
const maxDistanceMs = 15_000;
/** One step of the sound at most: when a clock jumps, no time passes. */
const maxStepMs = 250;

/** Measured on the sound's own clock: no time of day is needed. */
export class VideoPresence {
  #expected = false;
  /** Timestamp of the last audio frame. */
  #heard: number | undefined;
  /** Sound since the last picture. */
  #unseenMs = 0;
  /** Sound between two pictures since the last keyframe, and before that, at most. */
  #distanceMs = 0;

  /** True where pictures come, or a header says that they will and the sound does not go on without them. */
  get there(): boolean {
    return this.#expected && this.#unseenMs < Math.max(patienceMs, 2 * this.#distanceMs);
  }

  /** Takes the tags of a stream in their order. Repeated headers are no sign of pictures. */
  add(tag: FlvTag): void {
    if (tag.type === tagType.video) {
      this.#expected = true;
      if (tag.slot === undefined) this.#seen(tag.keyframe);
    } else if (tag.type === tagType.audio && tag.slot === undefined) {
      const stepMs = this.#heard === undefined ? 0 : (tag.timestamp - this.#heard) | 0;
      this.#heard = tag.timestamp;
      this.#unseenMs += Math.min(Math.max(stepMs, 0), maxStepMs);
    }
  }

  #seen(keyframe: boolean): void {
    const distanceMs = Math.min(this.#unseenMs, maxDistanceMs);
    this.#distanceMs = keyframe ? distanceMs : Math.max(this.#distanceMs, distanceMs);
    this.#unseenMs = 0;
  }
}
