// A batch: the stretch of the stream that each viewer gets with one write (SRS calls it a merged write). A new viewer enters
// the stream at a batch.

import { firstOf, type GopCache } from '../flv/gop-cache.js';
import { type FlvTag, type TagType, tagType } from '../flv/tag.js';
import { fileHeader } from '../flv/writer.js';
import { SharedFrame } from './frames.js';

/** What a batch needs to know of the stream to let somebody in. */
export interface StreamState {
  readonly cache: GopCache;
  /** The last timestamp on a track up to the last batch, this one included. */
  lastTime(type: TagType): number;
}

type LastTimes = Readonly<Record<TagType, number>>;
const lastTimesOf = (stream: StreamState): LastTimes => ({
  [tagType.audio]: stream.lastTime(tagType.audio),
  [tagType.video]: stream.lastTime(tagType.video),
  [tagType.script]: stream.lastTime(tagType.script),
});

/**
 * What a player needs before its first tag. While no pictures come, players are told of the sound only: some wait with it
 * for the pictures that a header promises. That includes metadata, which may name both.
 */
function neededHeaders({ audioOnly, codecs, headers }: GopCache): readonly FlvTag[] {
  return audioOnly && codecs.video !== undefined ? headers.filter(({ type }) => type === tagType.audio) : headers;
}

/**
 * Headers with timestamps that fit what follows: a header never lies behind the first tag of its track, nor before what
 * a viewer may already have.
 */
function withHeaders(cache: GopCache, tags: readonly FlvTag[], lastTimes: LastTimes): FlvTag[] {
  const first = tags[0];
  const headers = neededHeaders(cache).map((header) => {
    const next = header.type === tagType.script ? first : firstOf(tags, header.type);
    return { ...header, timestamp: next?.timestamp ?? lastTimes[header.type] };
  });
  return [...headers, ...tags];
}

const openingHeader = ({ cache }: StreamState) => fileHeader(cache.codecs.audio !== undefined, !cache.audioOnly);

/** Made once for all viewers; the ways in are made when the first viewer needs them, and shared. */
export class Batch {
  /** Batches of a stream are counted from 1. */
  readonly number: number;
  readonly frame: SharedFrame;
  /** Position in the stream after it. */
  readonly endBytes: number;
  readonly #tags: readonly FlvTag[];
  /** The tags from the last keyframe on; all of them where no pictures come; undefined: no way in. */
  readonly #enterable: readonly FlvTag[] | undefined;
  readonly #stream: StreamState;
  /** As of its end: a way in may be asked for when the stream is further. */
  readonly #lastTimes: LastTimes;
  #entry: SharedFrame | undefined;
  #opening: SharedFrame | undefined;

  /**
   * @param number counts the batches of a stream
   * @param tags never empty, already in the stream's cache
   * @param startBytes position in the stream
   */
  constructor(number: number, tags: readonly FlvTag[], stream: StreamState, startBytes: number) {
    this.number = number;
    this.frame = new SharedFrame(tags);
    this.endBytes = startBytes + this.frame.length;
    this.#tags = tags;
    this.#stream = stream;
    this.#lastTimes = lastTimesOf(stream);
    if (stream.cache.audioOnly) {
      this.#enterable = tags;
    } else {
      const keyframe = tags.findLastIndex((tag) => tag.keyframe);
      this.#enterable = keyframe < 0 ? undefined : tags.slice(keyframe);
    }
  }

  /**
   * For a viewer who skipped: the headers, which may have changed, then the last keyframe and what follows. Undefined where
   * there is none, unless `anywhere` will do.
   */
  entry(anywhere = false): SharedFrame | undefined {
    const tags = this.#way(anywhere);
    if (tags !== undefined) this.#entry ??= new SharedFrame(this.#withHeaders(tags));
    return this.#entry;
  }

  /** The same for a viewer who has nothing yet. */
  opening(anywhere = false): SharedFrame | undefined {
    const tags = this.#way(anywhere);
    if (tags !== undefined) {
      this.#opening ??= new SharedFrame(this.#withHeaders(tags), openingHeader(this.#stream));
    }
    return this.#opening;
  }

  #withHeaders(tags: readonly FlvTag[]): FlvTag[] {
    return withHeaders(this.#stream.cache, tags, this.#lastTimes);
  }

  #way(anywhere: boolean): readonly FlvTag[] | undefined {
    return this.#enterable ?? (anywhere ? this.#tags : undefined);
  }
}

/**
 * What a viewer gets on joining: file header, metadata, sequence headers and the group of pictures so far. Undefined
 * where there are pictures but no group: the viewer starts with the next keyframe.
 */
export function joinFrame(stream: StreamState): SharedFrame | undefined {
  const { cache } = stream;
  if (!cache.audioOnly && cache.tags.length === 0) return undefined;
  return new SharedFrame(withHeaders(cache, cache.tags, lastTimesOf(stream)), openingHeader(stream));
}
