// A stream as viewers get it: successive pulls on one clock, cut into batches, with the tags that a late joiner needs.

import { Batch, joinFrame, type StreamState } from './audience/batch.js';
import type { SharedFrame } from './audience/frames.js';
import { GopCache } from './flv/gop-cache.js';
import { Meter } from './flv/meter.js';
import { Splicer } from './flv/splicer.js';
import { type FlvTag, type TagType, tagType } from './flv/tag.js';
import type { Jump } from './flv/timeline.js';

/** Tags go in by `accept`, and come out by `batch` when the relay says so. */
export class Outgoing implements StreamState {
  readonly #maxGroupBytes: number;
  readonly #splicer: Splicer;
  readonly #onJoinFrame: (bytes: number) => void;
  readonly meter = new Meter();
  #cache: GopCache;
  /** For all who join before the next batch; null where they have to wait for a keyframe. */
  #joinFrame: SharedFrame | null | undefined;
  #last = { number: 0, endBytes: 0 };
  /** The last timestamp on each track up to the last batch; what waits for the next one has later ones already. */
  readonly #lastTimes: Partial<Record<TagType, number>> = {};

  /**
   * @param maxGroupBytes a group of pictures beyond it is not kept
   * @param now monotonic ms
   * @param onJump a source broke with its own clock
   * @param onJoinFrame so many bytes were made for viewers who join now
   */
  constructor(
    maxGroupBytes: number,
    now: () => number,
    onJump: (direction: Exclude<Jump, undefined>) => void,
    onJoinFrame: (bytes: number) => void,
  ) {
    this.#maxGroupBytes = maxGroupBytes;
    this.#splicer = new Splicer(now, onJump);
    this.#onJoinFrame = onJoinFrame;
    this.#cache = new GopCache(maxGroupBytes);
  }

  /** Up to the last batch. */
  get cache(): GopCache {
    return this.#cache;
  }
  /** Monotonic ms at which the last media tag was passed on. */
  get lastAt(): number | undefined {
    return this.#splicer.lastAt;
  }
  /** Where the last batch ends. */
  get end(): Pick<Batch, 'number' | 'endBytes'> {
    return this.#last;
  }

  /** The last timestamp on a track up to the last batch, in ms. */
  lastTime(type: TagType): number {
    return this.#lastTimes[type] ?? this.#splicer.last(type);
  }

  /** Whether viewers could go over to what a pull brought and not notice. */
  recognises(arrival: GopCache): boolean {
    return this.#splicer.recognises(arrival);
  }

  /** Whether this is a picture that viewers had not been given before. */
  isNew(tag: FlvTag): boolean {
    return this.#splicer.isNew(tag);
  }

  /** Goes on with another pull. Returns the headers that viewers have to be sent, and the tags to give to `accept` first. */
  begin(arrival: GopCache): { readonly headers: readonly FlvTag[]; readonly tags: readonly FlvTag[] } {
    const { headers, tags, seamless } = this.#splicer.begin(arrival);
    if (!seamless) this.#cache = GopCache.after(arrival, this.#maxGroupBytes);
    return { headers, tags };
  }

  /** The tag as viewers get it, or undefined when they do not get it. */
  accept(tag: FlvTag): FlvTag | undefined {
    const out = this.#splicer.accept(tag);
    if (out !== undefined) this.meter.add(out);
    return out;
  }

  /**
   * The next batch.
   *
   * @param tags as `accept` returned them
   * @param bytes that they keep in memory
   */
  batch(tags: readonly FlvTag[], bytes: number): Batch {
    const given = this.#keep(tags);
    this.#cache.received(bytes);
    this.#joinFrame = undefined;
    const batch = new Batch(this.#last.number + 1, given, this, this.#last.endBytes);
    this.#last = { number: batch.number, endBytes: batch.endBytes };
    return batch;
  }

  /** What a viewer gets on joining now; null: it has to wait for a keyframe. */
  joinFrame(): SharedFrame | null {
    if (this.#joinFrame === undefined) {
      this.#joinFrame = joinFrame(this) ?? null;
      this.#onJoinFrame(this.#joinFrame?.length ?? 0);
    }
    return this.#joinFrame;
  }

  /** Puts tags into the cache. Returns them, with headers again where viewers may lack them. */
  #keep(tags: readonly FlvTag[]): FlvTag[] {
    const given: FlvTag[] = [];
    for (const tag of tags) {
      // Who joined while no pictures came was told of the sound only.
      if (tag.type === tagType.video && tag.slot === undefined && this.#cache.audioOnly) {
        for (const header of this.#cache.headers) {
          if (header.type === tagType.video) given.push({ ...header, timestamp: tag.timestamp });
        }
      }
      this.#cache.push(tag);
      this.#lastTimes[tag.type] = tag.timestamp;
      given.push(tag);
    }
    return given;
  }
}
