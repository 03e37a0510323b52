// Remembers the last video frames that viewers were given, to recognise them when another origin sends them again: mostly
// one encoder feeds all origins of a channel. Then a failover continues with the next frame, and repeats none.

import { type FlvTag, tagType } from './tag.js';

interface Given {
  readonly fingerprint: number;
  readonly length: number;
  /** As it was given out, 32 bits. */
  readonly timestamp: number;
}

/** More than what origins of one encoder are apart: 17 s at 60 a second. */
const maxFrames = 1_024;
/** In a row, which have to match. */
const minMatchingFrames = 3;
/** Looked at of either end of a frame; a slice's own numbers are at its beginning. */
const sampledBytes = 96;

/** FNV-1a of both ends. Equal length and three frames in a row make up for what it does not look at. */
function fingerprint(body: Buffer): number {
  let hash = 0x811c9dc5;
  const tail = Math.max(sampledBytes, body.length - sampledBytes);
  for (let at = 0; at < body.length; at = at + 1 === sampledBytes ? tail : at + 1) {
    hash = Math.imul(hash ^ (body[at] ?? 0), 0x01000193);
  }
  return hash;
}

const isFrame = (tag: FlvTag) => tag.type === tagType.video && tag.slot === undefined;

/** Bounded: the last `maxFrames` at least, twice as many at most. */
export class RecentFrames {
  #given: Given[] = [];

  /** Takes a tag as it is given to viewers. */
  add(tag: FlvTag): void {
    if (!isFrame(tag)) return;
    this.#given.push({ fingerprint: fingerprint(tag.body), length: tag.body.length, timestamp: tag.timestamp });
    if (this.#given.length >= 2 * maxFrames) this.#given = this.#given.slice(-maxFrames);
  }

  /** Whether viewers were given such a frame only once. A stream that is replayed is not new. */
  isNew(tag: FlvTag): boolean {
    if (!isFrame(tag)) return false;
    const print = fingerprint(tag.body);
    return this.#given.filter((given) => given.fingerprint === print && given.length === tag.body.length).length <= 1;
  }

  /**
   * When the frames that `tags` (a group of pictures) begin with were given out: every possible answer, since pictures
   * that do not move can look alike.
   */
  find(tags: readonly FlvTag[]): number[] {
    const wanted = tags.filter(isFrame).slice(0, minMatchingFrames);
    if (wanted[0]?.keyframe !== true) return [];
    const prints = wanted.map((tag) => fingerprint(tag.body));
    const matches = (index: number) =>
      wanted.every((tag, at) => {
        const given = this.#given[index + at];
        // The last frames given may be the first ones of the group.
        if (given === undefined) return at > 0 && index + at >= this.#given.length;
        return given.length === tag.body.length && given.fingerprint === prints[at];
      });
    return this.#given.flatMap((given, index) => (matches(index) ? [given.timestamp] : []));
  }
}
