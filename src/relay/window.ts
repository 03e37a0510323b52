// One stretch of the stream that all viewers get with one write each, and the ways into it.

import { type FlvTag, type TagType, tagType } from './flv-tag.js';
import { fileHeader, SharedFrame } from './frames.js';
import { firstOf, type GopCache } from './gop-cache.js';

/** What a window needs to know of the stream to let somebody in. */
export interface StreamState {
  readonly cache: GopCache;
  /** The last timestamp given out on a track. */
  last(type: TagType): number;
}

/**
 * Headers with timestamps that fit what follows: a header never lies behind the first tag of its track, nor before what
 * a viewer may already have.
 */
function withHeaders(stream: StreamState, tags: readonly FlvTag[]): FlvTag[] {
  const first = tags[0];
  const headers = stream.cache.headers.map((header) => {
    const next = header.type === tagType.script ? first : firstOf(tags, header.type);
    return { ...header, timestamp: next?.timestamp ?? stream.last(header.type) };
  });
  return [...headers, ...tags];
}

const openingHeader = ({ cache }: StreamState) =>
  fileHeader(cache.codecs.audio !== undefined, cache.codecs.video !== undefined);

export class Window {
  readonly number: number;
  readonly frame: SharedFrame;
  /** The tags from the last keyframe on; all of them where there is no video; undefined: no way in. */
  readonly #enterable: readonly FlvTag[] | undefined;
  readonly #stream: StreamState;
  #entry: SharedFrame | undefined;
  #opening: SharedFrame | undefined;

  /** `tags`, never empty, must already be in the stream's cache. */
  constructor(number: number, tags: readonly FlvTag[], stream: StreamState) {
    this.number = number;
    this.frame = new SharedFrame(tags);
    this.#stream = stream;
    if (stream.cache.codecs.video === undefined) {
      this.#enterable = tags;
    } else {
      const keyframe = tags.findLastIndex((tag) => tag.keyframe);
      this.#enterable = keyframe < 0 ? undefined : tags.slice(keyframe);
    }
  }

  /** For a viewer who skipped: the headers, which may have changed, then the last keyframe and what follows. */
  entry(): SharedFrame | undefined {
    if (this.#enterable === undefined) return undefined;
    this.#entry ??= new SharedFrame(withHeaders(this.#stream, this.#enterable));
    return this.#entry;
  }

  /** The same for a viewer who has nothing yet. */
  opening(): SharedFrame | undefined {
    if (this.#enterable === undefined) return undefined;
    this.#opening ??= new SharedFrame(withHeaders(this.#stream, this.#enterable), openingHeader(this.#stream));
    return this.#opening;
  }
}

/**
 * What a viewer gets on joining: file header, metadata, sequence headers and the group of pictures so far. Undefined
 * where there is video but no group: the viewer starts with the next keyframe.
 */
export function joinFrame(stream: StreamState): SharedFrame | undefined {
  const { cache } = stream;
  if (cache.codecs.video !== undefined && cache.tags.length === 0) return undefined;
  return new SharedFrame(withHeaders(stream, cache.tags), openingHeader(stream));
}
