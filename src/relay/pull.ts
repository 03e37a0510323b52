// One upstream HTTP-FLV request as a stream of tags, with the health of the media watched: that HTTP looks fine says
// nothing about whether pictures come.

import type { Pick } from '../balancer/balancer.js';
import type { Outcome } from '../balancer/policy.js';
import { type ErrorCode, toWeirError, WeirError } from '../errors.js';
import type { Exchange, UpstreamClient, UpstreamRequest } from '../upstream/client.js';
import { judgeError, judgeStatus, outcomeOf } from '../upstream/judge.js';
import { FlvParser } from './flv.js';
import { type FlvTag, tagType } from './flv-tag.js';
import { GopCache, type GopLimits } from './gop-cache.js';

/** Why a pull ended without us: a label of metrics. */
export type PullFault = 'connect' | 'timeout' | 'status' | 'end' | 'cut' | 'framing' | 'stall' | 'no_keyframe';

/**
 * How far a new pull is: a viewer could start with it; its opening burst is over, too; its newest group of pictures began
 * after that burst, so that nothing in it was seen before.
 */
export type Readiness = 'startable' | 'settled' | 'live_edge';

export interface PullSettings {
  /** ms without a media tag. */
  readonly stallTimeout: number;
  /** ms without a keyframe, where there is video. */
  readonly keyframeTimeout: number;
  /** Bytes. */
  readonly maxTagSize: number;
  readonly gopLimits: GopLimits;
  /** From the request to the first media tag, in ms. */
  readonly firstTagTimeout: number;
}

export interface PullObserver {
  /** Returns whether viewers get it: what is left out is no sign of life. */
  onTag(tag: FlvTag): boolean;
  /** All tags that arrived together were given to onTag: a good moment to act on them. False pauses it until `resume`. */
  onChunk(bytes: number): boolean;
  /** The origin writes the sizes behind its tags wrongly, which players bear. */
  onWrongTagSize(): void;
  /** It ended by itself; nothing comes after. */
  onFault(fault: PullFault, error: WeirError): void;
  /**
   * There is video, but no keyframe for too long. Said once; the tags go on. A pull that is not live and has no keyframe at
   * all has failed.
   */
  onKeyframeOverdue(): void;
}

/**
 * How long a new pull is listened to before it takes over, in ms: an origin opens with a burst out of its own cache, and
 * only when that is over is it known where its live edge is.
 */
const settleMs = 250;
/** How long a track that the header claims is waited for, in ms: some claim tracks that never come. */
const audioWait = 200;
const videoWait = 1_000;
/** Pictures that come further apart than this, in ms, are slides, or a camera was switched off: no keyframe is due. */
const picturePause = 2_500;

export class Pull {
  readonly pick: Pick;
  /** What it brought so far, in its own timestamps. Not fed any more once it is `live`. */
  readonly cache: GopCache;
  /** Monotonic ms of the last media tag's arrival; of the start before the first. */
  #lastTagAt: number;
  #firstTagAt: number | undefined;
  /** Monotonic ms at which viewers last got media of it. */
  #takenAt = 0;
  #paused = false;
  #keyframeAt: number | undefined;
  /** Monotonic ms since which pictures come without a pause and without a keyframe; undefined: they do not. */
  #picturesSince: number | undefined;
  #pictureAt = Number.NEGATIVE_INFINITY;
  readonly #observer: PullObserver;
  readonly #settings: PullSettings;
  readonly #now: () => number;
  readonly #parser: FlvParser;
  #exchange: Exchange | undefined;
  #claims = { audio: false, video: false };
  #timer: NodeJS.Timeout | undefined;
  #live = false;
  #keyframeTimeout: number;
  #overdueTold = false;
  #ended = false;

  constructor(pick: Pick, settings: PullSettings, observer: PullObserver, now: () => number) {
    this.pick = pick;
    this.#settings = settings;
    this.#observer = observer;
    this.#now = now;
    this.#keyframeTimeout = settings.keyframeTimeout;
    this.cache = new GopCache(settings.gopLimits, true);
    this.#lastTagAt = now();
    this.#parser = new FlvParser(
      {
        onHeader: (audio, video) => {
          this.#claims = { audio, video };
        },
        onTag: (tag) => this.#onTag(tag),
        onWrongTagSize: () => observer.onWrongTagSize(),
      },
      settings.maxTagSize,
    );
  }

  start(client: UpstreamClient, request: UpstreamRequest): void {
    this.#checkAfter(this.#settings.firstTagTimeout);
    this.#exchange = client.send(request, {
      onResponse: (status) => this.#onResponse(status),
      onData: (chunk) => this.#onData(chunk),
      onEnd: () =>
        this.#fault('end', 'cut', new WeirError('upstream_cut', { detail: 'The endpoint ended the stream.' })),
      onError: (error) => this.#fault(faultOf(error), outcomeOf(judgeError(error, 'stream')), error),
    });
  }

  /** From now on the tags go to viewers, and nothing is kept here. */
  goLive(): void {
    this.#live = true;
    this.#takenAt = this.#now();
    this.pick.firstByte();
  }

  /** After a pause that the observer asked for. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // The silence was ours.
    this.#lastTagAt = this.#now();
    this.#takenAt = this.#lastTagAt;
    this.#exchange?.resume();
  }

  /** A group of pictures of this length (ms) is normal for the stream: a keyframe is overdue only after twice of it. */
  expectGroup(length: number): void {
    this.#keyframeTimeout = Math.max(this.#settings.keyframeTimeout, 2 * length);
  }

  /** Whether it is so far. To be asked before it is live. */
  isReady(readiness: Readiness): boolean {
    if (readiness === 'startable') return this.#isStartable(0);
    if (!this.#isStartable(settleMs)) return false;
    if (readiness === 'settled' || this.cache.audioOnly) return true;
    return (this.#keyframeAt ?? 0) - (this.#firstTagAt ?? 0) >= settleMs;
  }

  /** Leaves it. `outcome` is what the balancer hears, where it did not hear anything yet. */
  close(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
    this.pick.done(outcome);
  }

  /**
   * Whether a viewer could start with what is here: a keyframe with its headers, or audio where there is no video now. A
   * track that the header claims is waited for a moment, `minAgeMs` at least pass since the first tag.
   */
  #isStartable(minAgeMs: number): boolean {
    if (this.#firstTagAt === undefined) return false;
    const age = this.#now() - this.#firstTagAt;
    if (age < minAgeMs) return false;
    const { audio, video } = this.cache.codecs;
    if (!this.cache.audioOnly) return this.cache.tags.length > 0 && this.#settled('audio', audio, age, audioWait);
    return audio !== undefined && this.#settled('video', video, age, videoWait);
  }

  #settled(track: 'audio' | 'video', codec: string | undefined, age: number, wait: number): boolean {
    return codec !== undefined || !this.#claims[track] || age >= wait;
  }

  #onResponse(status: number): void {
    if (status === 200) return;
    const detail = `The endpoint answered ${status}.`;
    this.#fault('status', outcomeOf(judgeStatus(status, 'stream')), new WeirError(refusal(status), { detail }));
  }

  #onData(chunk: Buffer): boolean {
    if (this.#ended) return true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      const detail = `Broken FLV: ${error instanceof Error ? error.message : String(error)}.`;
      this.#fault(
        'framing',
        'bad_response',
        new WeirError('upstream_bad_response', { detail, cause: toWeirError(error) }),
      );
      return true;
    }
    if (this.#ended) return true;
    if (!this.#live) this.cache.received(chunk.length);
    this.#paused = !this.#observer.onChunk(chunk.length);
    return !this.#paused;
  }

  #onTag(tag: FlvTag): void {
    if (this.#ended) return;
    // Headers are no sign of life: servers keep them for streams whose publisher is away.
    const isMedia = tag.slot === undefined && tag.type !== tagType.script;
    if (isMedia) {
      this.#lastTagAt = this.#now();
      this.#firstTagAt ??= this.#lastTagAt;
    }
    if (isMedia && tag.type === tagType.video) this.#onPicture(tag.keyframe);
    if (!this.#live) this.cache.push(tag);
    else if (this.#observer.onTag(tag) && isMedia) this.#takenAt = this.#lastTagAt;
  }

  #onPicture(keyframe: boolean): void {
    const now = this.#lastTagAt;
    if (keyframe) {
      this.#keyframeAt = now;
      this.#overdueTold = false;
    }
    if (keyframe || now - this.#pictureAt >= picturePause) this.#picturesSince = now;
    this.#pictureAt = now;
  }

  /** What waits in the socket is read first: this process itself may have stood still, and timers come before sockets. */
  #checkAfter(wait: number): void {
    this.#timer = setTimeout(() => setImmediate(() => this.#checkHealth()), wait);
  }

  #checkHealth(): void {
    if (this.#ended) return;
    const now = this.#now();
    const { stallTimeout } = this.#settings;
    const silent = this.#silence(now);
    if (silent >= stallTimeout || this.#uselessFor(now) >= Math.max(stallTimeout, this.#keyframeTimeout)) {
      const code = this.#firstTagAt === undefined ? 'upstream_first_byte_timeout' : 'upstream_idle_timeout';
      this.#fault('stall', 'stall', new WeirError(code, { detail: 'The endpoint sends no media.' }));
      return;
    }
    if (this.#keyframeOverdue(now) && !this.#overdueTold) {
      this.#overdueTold = true;
      if (!this.#live && !this.isReady('settled')) {
        this.#fault('no_keyframe', 'stall', new WeirError('upstream_idle_timeout', { detail: 'No keyframe came.' }));
        return;
      }
      this.#observer.onKeyframeOverdue();
      if (this.#ended) return;
    }
    const wait = Math.min(stallTimeout - silent, this.#keyframeTimeout);
    this.#checkAfter(Math.max(wait, 10));
  }

  /** ms without a media tag. */
  #silence(now: number): number {
    if (this.#paused) return 0;
    return this.#firstTagAt === undefined ? Number.POSITIVE_INFINITY : now - this.#lastTagAt;
  }

  /** ms for which viewers got none of its tags, though it delivers. */
  #uselessFor(now: number): number {
    return this.#live && !this.#paused ? now - this.#takenAt : 0;
  }

  /** A camera that is switched off sends no keyframes, and is not to blame. */
  #keyframeOverdue(now: number): boolean {
    if (this.#picturesSince === undefined || now - this.#pictureAt >= picturePause) return false;
    return now - this.#picturesSince >= this.#keyframeTimeout;
  }

  #fault(fault: PullFault, outcome: Outcome, error: WeirError): void {
    if (this.#ended) return;
    // What was cut after it went well for a while is no gateway failure, as for any other request; silence and garbage are.
    const excused = this.#live && (fault === 'end' || fault === 'cut');
    this.close(excused ? 'interrupted' : outcome);
    this.#observer.onFault(fault, error);
  }
}

/** What players are told of a status. */
function refusal(status: number): ErrorCode {
  if (status === 404) return 'not_found';
  return status === 401 || status === 403 ? 'forbidden' : 'upstream_status';
}

/** What the client reports, as a fault of the pull: the label of a metric. */
function faultOf(error: WeirError): PullFault {
  switch (error.code) {
    case 'upstream_first_byte_timeout':
      return 'timeout';
    case 'upstream_idle_timeout':
      return 'stall';
    case 'upstream_bad_response':
      return 'framing';
    case 'upstream_cut':
      return 'cut';
    default:
      return 'connect';
  }
}
