// What a late joiner needs to start at once: the headers, and all tags from the last keyframe on.

import { codecOf, type FlvTag, type TagType, tagType } from './flv-tag.js';

export interface GopLimits {
  /** Bytes of tag bodies at most. */
  readonly maxBytes: number;
  /** Audio and video tags at most. */
  readonly maxFrames: number;
}

/** More header slots than any stream has use for; a hostile origin gets no more. */
const maxSlots = 32;

/**
 * Holds one group of pictures. When it outgrows its limits it is dropped until the next keyframe, because a part of it
 * is of no use to anybody. A stream without video has no group: its viewers start at the live edge.
 */
export class GopCache {
  readonly #limits: GopLimits;
  readonly #keepPrevious: boolean;
  #previous: readonly FlvTag[] = [];
  readonly #headers = new Map<string, FlvTag>();
  #tags: FlvTag[] = [];
  #bytes = 0;
  #collecting = false;
  #audioCodec: string | undefined;
  #videoCodec: string | undefined;

  /** keepPrevious: whether the group before the last keyframe is kept, too, as long as there was one. */
  constructor(limits: GopLimits, keepPrevious = false) {
    this.#limits = limits;
    this.#keepPrevious = keepPrevious;
  }

  /** Tags from the last keyframe on, oldest first; empty when none can be offered. */
  get tags(): readonly FlvTag[] {
    return this.#tags;
  }
  /** The group before that one, which it continues; empty unless it is kept. */
  get previous(): readonly FlvTag[] {
    return this.#previous;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** The latest tag of every slot, metadata first. */
  get headers(): readonly FlvTag[] {
    const all = [...this.#headers.values()];
    return [...all.filter((tag) => tag.slot === 'metadata'), ...all.filter((tag) => tag.slot !== 'metadata')];
  }
  /** Which tracks were really seen, by codec. Undefined: no such track so far. */
  get codecs(): { readonly audio: string | undefined; readonly video: string | undefined } {
    return { audio: this.#audioCodec, video: this.#videoCodec };
  }

  header(slot: string): FlvTag | undefined {
    return this.#headers.get(slot);
  }

  push(tag: FlvTag): void {
    this.#note(tag);
    if (tag.slot !== undefined) {
      if (this.#headers.has(tag.slot) || this.#headers.size < maxSlots) this.#headers.set(tag.slot, tag);
      // A header amid a group belongs to it: what follows may need it.
      if (this.#tags.length === 0) return;
    }
    if (tag.keyframe) {
      if (this.#keepPrevious) this.#previous = this.#tags;
      this.#tags = [];
      this.#bytes = 0;
      this.#collecting = true;
    }
    if (!this.#collecting) return;
    this.#tags.push(tag);
    this.#bytes += tag.body.length;
    if (this.#bytes > this.#limits.maxBytes || this.#tags.length > this.#limits.maxFrames) this.dropGroup();
  }

  /** Forgets the group but not the headers: the next one begins with the next keyframe. */
  dropGroup(): void {
    this.#previous = [];
    this.#tags = [];
    this.#bytes = 0;
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
