// What a late joiner needs to start at once: the headers, and all tags from the last keyframe on.

import { HeaderSlots } from './header-slots.js';
import { codecOf, type FlvTag, type TagType, tagType } from './tag.js';
import { VideoPresence } from './video-presence.js';

/** What a tag takes beside its body, about: so many small ones are bounded like few large ones. */
const tagCostBytes = 256;

/**
 * Holds one group of pictures. A group that outgrows the limit is dropped until the next keyframe, because a part of it cannot
 * be played. While there is only sound, there is no group: viewers start at the live edge.
 */
export class GopCache {
  readonly #maxBytes: number;
  readonly #keepPrevious: boolean;
  #previous: readonly FlvTag[] = [];
  #headers = new HeaderSlots();
  #video = new VideoPresence();
  #tags: FlvTag[] = [];
  #bytes = 0;
  #received = 0;
  #collecting = false;
  #audioCodec: string | undefined;
  #videoCodec: string | undefined;

  /**
   * @param maxBytes that a group takes
   * @param keepPrevious whether the group before the last keyframe is kept, too
   */
  constructor(maxBytes: number, keepPrevious = false) {
    this.#maxBytes = maxBytes;
    this.#keepPrevious = keepPrevious;
  }

  /** One that goes on where another stands, which is not fed any more: with its headers and tracks, without its group. */
  static after(other: GopCache, maxBytes: number): GopCache {
    const cache = new GopCache(maxBytes);
    cache.#headers = other.#headers;
    cache.#video = other.#video;
    cache.#audioCodec = other.#audioCodec;
    cache.#videoCodec = other.#videoCodec;
    return cache;
  }

  /** Tags from the last keyframe on, oldest first; empty when none can be offered. */
  get tags(): readonly FlvTag[] {
    return this.#tags;
  }
  /** The group before that one, which it continues; empty unless it is kept. */
  get previous(): readonly FlvTag[] {
    return this.#previous;
  }
  /** Of the bodies of the group. */
  get bytes(): number {
    return this.#bytes;
  }
  /** The latest tag of every slot, metadata first. */
  get headers(): readonly FlvTag[] {
    return this.#headers.all;
  }
  /** Which tracks were really seen, by codec. Undefined: no such track so far. */
  get codecs(): { readonly audio: string | undefined; readonly video: string | undefined } {
    return { audio: this.#audioCodec, video: this.#videoCodec };
  }
  /** No pictures come now, so that a player can start with any tag. */
  get audioOnly(): boolean {
    return !this.#video.there;
  }

  /** Takes the next tag of the stream. */
  push(tag: FlvTag): void {
    this.#note(tag);
    this.#video.add(tag);
    if (this.#collecting && this.audioOnly) this.dropGroup();
    if (tag.slot !== undefined) {
      this.#headers.set(tag);
      // A header amid a group belongs to it: what follows may need it.
      if (this.#tags.length === 0) return;
    }
    if (tag.keyframe) {
      if (this.#keepPrevious) this.#previous = this.#tags;
      this.#tags = [];
      this.#bytes = 0;
      this.#received = 0;
      this.#collecting = true;
    }
    if (!this.#collecting) return;
    this.#tags.push(tag);
    this.#bytes += tag.body.length;
    if (this.#bytes + this.#tags.length * tagCostBytes > this.#maxBytes) this.dropGroup();
  }

  /**
   * So many bytes were received together with the last tags, also such as were left out: a tag is a view of what it came
   * with, and keeps it in memory.
   */
  received(bytes: number): void {
    if (!this.#collecting) return;
    this.#received += bytes;
    if (this.#received > this.#maxBytes) this.dropGroup();
  }

  /** Forgets the group but not the headers: the next one begins with the next keyframe. */
  dropGroup(): void {
    this.#previous = [];
    this.#tags = [];
    this.#bytes = 0;
    this.#received = 0;
    this.#collecting = false;
  }

  #note(tag: FlvTag): void {
    if (tag.type === tagType.video) this.#videoCodec = this.#codec(tag, this.#videoCodec);
    if (tag.type === tagType.audio) this.#audioCodec = this.#codec(tag, this.#audioCodec);
  }

  /** Only headers, and the first tag of a track, are looked at: the codec cannot change without a header. */
  #codec(tag: FlvTag, known: string | undefined): string {
    return known === undefined || tag.slot !== undefined ? codecOf(tag) : known;
  }
}

/** The first tag of a type, for the timestamp that a header before it carries. */
export function firstOf(tags: readonly FlvTag[], type: TagType): FlvTag | undefined {
  return tags.find((tag) => tag.type === type && tag.slot === undefined);
}
