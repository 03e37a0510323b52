// One upstream HTTP-FLV request as a stream of tags, with the health of the media watched: that HTTP looks fine says
// nothing about whether pictures come.

import type { Pick } from '../balancer/balancer.js';
import type { Outcome } from '../balancer/policy.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Exchange, UpstreamClient, UpstreamRequest } from '../upstream/client.js';
import { judgeError, judgeStatus, outcomeOf } from '../upstream/judge.js';
import { FlvParser } from './flv.js';
import { type FlvTag, tagType } from './flv-tag.js';
import { GopCache, type GopLimits } from './gop-cache.js';

/** Why a pull ended without us: a label of metrics. */
export type PullFault = 'connect' | 'timeout' | 'status' | 'end' | 'cut' | 'framing' | 'stall' | 'no_keyframe';

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
  onTag(tag: FlvTag): void;
  /** All tags that arrived together were given to onTag: a good moment to act on them. */
  onChunk(bytes: number): void;
  /** The origin writes the sizes behind its tags wrongly, which players bear. */
  onWrongTagSize(): void;
  /** It ended by itself; nothing comes after. */
  onFault(fault: PullFault, error: WeirError): void;
  /** There is video, but no keyframe for too long. Said once; the tags go on. */
  onKeyframeOverdue(): void;
}

/** How long a track that the header claims is waited for, in ms: some claim tracks that never come. */
const audioWait = 200;
const videoWait = 1_000;

export class Pull {
  readonly pick: Pick;
  /** What it brought so far, in its own timestamps. Not fed any more once it is `live`. */
  readonly cache: GopCache;
  /** Monotonic ms of the last media tag's arrival; of the start before the first. */
  lastTagAt: number;
  firstTagAt: number | undefined;
  keyframeAt: number | undefined;
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
    this.lastTagAt = now();
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
    this.pick.firstByte();
  }

  /** A group of pictures of this length (ms) is normal for the stream: a keyframe is overdue only after twice of it. */
  expectGroup(length: number): void {
    this.#keyframeTimeout = Math.max(this.#settings.keyframeTimeout, 2 * length);
  }

  /**
   * Whether a viewer could start with what is here: a keyframe with its headers, or audio where there is no video. A
   * track that the header claims is waited for a moment, `settle` ms at least pass since the first tag.
   */
  startable(settle: number): boolean {
    if (this.firstTagAt === undefined) return false;
    const age = this.#now() - this.firstTagAt;
    if (age < settle) return false;
    const { audio, video } = this.cache.codecs;
    if (video !== undefined) return this.cache.tags.length > 0 && this.#settled('audio', audio, age, audioWait);
    return audio !== undefined && this.#settled('video', video, age, videoWait);
  }

  /** Whether the newest group began after the burst that an origin opens with: nothing in it was seen before. */
  atLiveEdge(settle: number): boolean {
    if (!this.startable(settle)) return false;
    if (this.cache.codecs.video === undefined) return true;
    return (this.keyframeAt ?? 0) - (this.firstTagAt ?? 0) >= settle;
  }

  /** Leaves it. `outcome` is what the balancer hears, where it did not hear anything yet. */
  close(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
    this.pick.done(outcome);
  }

  #settled(track: 'audio' | 'video', codec: string | undefined, age: number, wait: number): boolean {
    return codec !== undefined || !this.#claims[track] || age >= wait;
  }

  #onResponse(status: number): void {
    if (status === 200) return;
    const detail = `The endpoint answered ${status}.`;
    const code = status === 404 ? 'not_found' : 'upstream_status';
    this.#fault('status', outcomeOf(judgeStatus(status, 'stream')), new WeirError(code, { detail }));
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
    if (!this.#ended) this.#observer.onChunk(chunk.length);
    return true;
  }

  #onTag(tag: FlvTag): void {
    if (this.#ended) return;
    // Headers are no sign of life: servers keep them for streams whose publisher is away.
    if (tag.slot === undefined && tag.type !== tagType.script) {
      this.lastTagAt = this.#now();
      this.firstTagAt ??= this.lastTagAt;
    }
    if (tag.keyframe) {
      this.keyframeAt = this.lastTagAt;
      this.#overdueTold = false;
    }
    if (this.#live) this.#observer.onTag(tag);
    else this.cache.push(tag);
  }

  /** What waits in the socket is read first: this process itself may have stood still, and timers come before sockets. */
  #checkAfter(wait: number): void {
    this.#timer = setTimeout(() => setImmediate(() => this.#checkHealth()), wait);
  }

  #checkHealth(): void {
    if (this.#ended) return;
    const now = this.#now();
    const { stallTimeout } = this.#settings;
    const silent = this.firstTagAt === undefined ? Number.POSITIVE_INFINITY : now - this.lastTagAt;
    if (silent >= stallTimeout) {
      const code = this.firstTagAt === undefined ? 'upstream_first_byte_timeout' : 'upstream_idle_timeout';
      this.#fault('stall', 'stall', new WeirError(code, { detail: 'The endpoint sends no media.' }));
      return;
    }
    if (this.#keyframeOverdue(now) && !this.#overdueTold) {
      this.#overdueTold = true;
      this.#observer.onKeyframeOverdue();
      if (this.#ended) return;
    }
    const wait = Math.min(stallTimeout - silent, this.#keyframeTimeout);
    this.#checkAfter(Math.max(wait, 10));
  }

  #keyframeOverdue(now: number): boolean {
    if (this.firstTagAt === undefined) return false;
    if (!this.#live && this.cache.codecs.video === undefined) return false;
    if (this.#live && this.keyframeAt === undefined) return false;
    return now - (this.keyframeAt ?? this.firstTagAt) >= this.#keyframeTimeout;
  }

  #fault(fault: PullFault, outcome: Outcome, error: WeirError): void {
    if (this.#ended) return;
    // What was cut after it went well for a while is no gateway failure, as for any other request; silence and garbage are.
    const excused = this.#live && (fault === 'end' || fault === 'cut');
    this.close(excused ? 'interrupted' : outcome);
    this.#observer.onFault(fault, error);
  }
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
