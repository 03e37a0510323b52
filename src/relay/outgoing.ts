// A stream as viewers get it, from one pull after another: on one clock, cut into windows, with what a late joiner needs.

import type { FlvTag, TagType } from './flv-tag.js';
import { tagType } from './flv-tag.js';
import type { SharedFrame } from './frames.js';
import { GopCache, type GopLimits } from './gop-cache.js';
import { Meter } from './meter.js';
import { Splicer } from './splicer.js';
import type { Jump } from './timeline.js';
import { joinFrame, type StreamState, Window } from './window.js';

export class Outgoing implements StreamState {
  readonly #limits: GopLimits;
  readonly #splicer: Splicer;
  readonly #onJoinFrame: (bytes: number) => void;
  readonly meter = new Meter();
  #cache: GopCache;
  /** For all who join before the next window; null where they have to wait for a keyframe. */
  #joinFrame: SharedFrame | null | undefined;
  #last = { number: 0, end: 0 };
  /** The last timestamp on each track up to the last window; what waits for the next one has later ones already. */
  readonly #lastTimes = new Map<TagType, number>();

  /**
   * @param onJump a source broke with its own clock
   * @param onJoinFrame so many bytes were made for viewers who join now
   */
  constructor(
    limits: GopLimits,
    now: () => number,
    onJump: (direction: Exclude<Jump, undefined>) => void,
    onJoinFrame: (bytes: number) => void,
  ) {
    this.#limits = limits;
    this.#splicer = new Splicer(now, onJump);
    this.#onJoinFrame = onJoinFrame;
    this.#cache = new GopCache(limits);
  }

  /** Up to the last window. */
  get cache(): GopCache {
    return this.#cache;
  }
  /** Monotonic ms at which the last media tag was passed on. */
  get lastAt(): number | undefined {
    return this.#splicer.lastAt;
  }
  /** Where the last window ends. */
  get end(): Pick<Window, 'number' | 'end'> {
    return this.#last;
  }

  lastTime(type: TagType): number {
    return this.#lastTimes.get(type) ?? this.#splicer.last(type);
  }

  /** Whether viewers could go over to what a pull brought without a seam. */
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
    if (!seamless) this.#cache = GopCache.after(arrival, this.#limits);
    return { headers, tags };
  }

  /** The tag as viewers get it, or undefined when they do not get it. */
  accept(tag: FlvTag): FlvTag | undefined {
    const out = this.#splicer.accept(tag);
    if (out !== undefined) this.meter.add(out);
    return out;
  }

  /** The next window, of tags that were accepted; they keep so many bytes in memory. */
  window(tags: readonly FlvTag[], bytes: number): Window {
    const given = this.#keep(tags);
    this.#cache.received(bytes);
    this.#joinFrame = undefined;
    const window = new Window(this.#last.number + 1, given, this, this.#last.end);
    this.#last = { number: window.number, end: window.end };
    return window;
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
      this.#lastTimes.set(tag.type, tag.timestamp);
      given.push(tag);
    }
    return given;
  }
}
