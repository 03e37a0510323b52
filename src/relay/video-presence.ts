// Pure: whether a stream's pictures come now. A camera may be switched off while the sound goes on, for seconds or for
// ever; whoever joins then must not wait for a keyframe.

import { type FlvTag, tagType } from './flv-tag.js';

/** ms of sound without a picture after which there is only sound. SRS guesses so after 115 packets: 2.7 s at 44.1 kHz. */
const patience = 2_500;
/** Pictures that come far apart (slides) are away only after twice of that. The longest distance believed, in ms. */
const longestDistance = 15_000;
/** One step of the sound at most, in ms: when a clock jumps, no time passes. */
const longestStep = 250;

export class VideoPresence {
  #expected = false;
  /** Timestamp of the last audio frame. */
  #heard: number | undefined;
  /** ms of sound since the last picture. */
  #silent = 0;
  /** ms of sound between two pictures since the last keyframe, and before that, at most. */
  #distance = 0;

  /** True where pictures come, or a header says that they will and the sound does not go on without them. */
  get there(): boolean {
    return this.#expected && this.#silent < Math.max(patience, 2 * this.#distance);
  }

  /** Takes the tags of a stream in their order. Repeated headers are no sign of pictures. */
  add(tag: FlvTag): void {
    if (tag.type === tagType.video) {
      this.#expected = true;
      if (tag.slot === undefined) this.#seen(tag.keyframe);
    } else if (tag.type === tagType.audio && tag.slot === undefined) {
      const step = this.#heard === undefined ? 0 : (tag.timestamp - this.#heard) | 0;
      this.#heard = tag.timestamp;
      this.#silent += Math.min(Math.max(step, 0), longestStep);
    }
  }

  #seen(keyframe: boolean): void {
    const distance = Math.min(this.#silent, longestDistance);
    this.#distance = keyframe ? distance : Math.max(this.#distance, distance);
    this.#silent = 0;
  }
}
