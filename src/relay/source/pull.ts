// One upstream HTTP-FLV request as a stream of tags, with the health of its media watched.

import type { Pick } from '../../balancer/balancer.js';
import type { Outcome } from '../../balancer/policy.js';
import { toWeirError, WeirError } from '../../errors.js';
import type { Exchange, UpstreamClient, UpstreamRequest } from '../../upstream/client.js';
import { judgeError, judgeStatus, outcomeOf, toldOf } from '../../upstream/judge.js';
import { GopCache } from '../flv/gop-cache.js';
import { FlvParser } from '../flv/parser.js';
import { type FlvTag, tagType } from '../flv/tag.js';
import { type HealthSettings, MediaHealth } from './media-health.js';

/** Why a pull ended without us: a label of metrics. */
export type PullFault = 'connect' | 'timeout' | 'status' | 'end' | 'cut' | 'framing' | 'stall' | 'no_keyframe';

/**
 * How far a new pull is. `startable`: a viewer could start with it. `settled`: its opening burst is over too. `live_edge`: its
 * newest group of pictures began after that burst, so viewers have seen nothing of it.
 */
export type Readiness = 'startable' | 'settled' | 'live_edge';

/** What is asked of one endpoint. */
export interface PullSettings extends HealthSettings {
  /** Of a tag's body. */
  readonly maxTagBytes: number;
  /** Of the group of pictures that is kept until it is live; one more is kept beside it. */
  readonly maxGroupBytes: number;
  /** From the request to the first media tag. */
  readonly firstTagTimeoutMs: number;
}

/** How the source hears of a pull. */
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
const audioWaitMs = 200;
const videoWaitMs = 1_000;

/** One request, from its start to its end. It holds its pick until then. */
export class Pull {
  readonly pick: Pick;
  /** What it brought so far, in its own timestamps. Not fed any more once it is live. */
  readonly cache: GopCache;
  readonly #observer: PullObserver;
  readonly #settings: PullSettings;
  readonly #now: () => number;
  readonly #parser: FlvParser;
  readonly #health: MediaHealth;
  #exchange: Exchange | undefined;
  #claims = { audio: false, video: false };
  #timer: NodeJS.Timeout | undefined;
  #isLive = false;
  #isPaused = false;
  #isOverdueTold = false;
  #isEnded = false;

  /** @param now monotonic ms */
  constructor(pick: Pick, settings: PullSettings, observer: PullObserver, now: () => number) {
    this.pick = pick;
    this.#settings = settings;
    this.#observer = observer;
    this.#now = now;
    this.#health = new MediaHealth(settings);
    this.cache = new GopCache(settings.maxGroupBytes, true);
    this.#parser = new FlvParser(
      {
        onHeader: (audio, video) => {
          this.#claims = { audio, video };
        },
        onTag: (tag) => this.#onTag(tag),
        onWrongTagSize: () => observer.onWrongTagSize(),
      },
      settings.maxTagBytes,
    );
  }

  /** Sends the request. To be called once. */
  start(client: UpstreamClient, request: UpstreamRequest): void {
    this.#checkAfter(this.#settings.firstTagTimeoutMs);
    const onError = (error: WeirError) => this.#fault(faultOf(error), outcomeOf(judgeError(error, 'stream')), error);
    try {
      this.#exchange = client.send(request, {
        onResponse: (status) => this.#onResponse(status),
        onData: (chunk) => this.#onData(chunk),
        onEnd: () =>
          this.#fault('end', 'cut', new WeirError('upstream_cut', { detail: 'The endpoint ended the stream.' })),
        onError,
      });
    } catch (error) {
      queueMicrotask(() => onError(toWeirError(error)));
    }
  }

  /** From now on the tags go to viewers, and nothing is kept here. */
  goLive(): void {
    this.#isLive = true;
    this.#health.goLive(this.#now());
    this.pick.firstByte();
  }

  /** After a pause that the observer asked for. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#health.resume(this.#now());
    this.#exchange?.resume();
  }

  /** A group of pictures of this length is normal for the stream: a keyframe is overdue only after twice of it. */
  expectGroup(lengthMs: number): void {
    this.#health.expectGroup(lengthMs);
  }

  /** Whether it is so far. To be asked before it is live. */
  isReady(readiness: Readiness): boolean {
    if (readiness === 'startable') return this.#isStartable(0);
    if (!this.#isStartable(settleMs)) return false;
    if (readiness === 'settled' || this.cache.audioOnly) return true;
    return this.#health.keyframeAgeMs >= settleMs;
  }

  /** Leaves it. `outcome` is what the balancer hears, where it did not hear anything yet. */
  close(outcome: Outcome): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
    this.pick.done(outcome);
  }

  /**
   * Whether a viewer could start with what is here: a keyframe with its headers, or audio where there is no video now. A
   * track that the header claims is waited for a moment, `minAgeMs` at least pass since the first tag.
   */
  #isStartable(minAgeMs: number): boolean {
    const ageMs = this.#health.ageMs(this.#now());
    if (ageMs === undefined || ageMs < minAgeMs) return false;
    const { audio, video } = this.cache.codecs;
    if (!this.cache.audioOnly) return this.cache.tags.length > 0 && this.#settled('audio', audio, ageMs, audioWaitMs);
    return audio !== undefined && this.#settled('video', video, ageMs, videoWaitMs);
  }

  #settled(track: 'audio' | 'video', codec: string | undefined, ageMs: number, waitMs: number): boolean {
    return codec !== undefined || !this.#claims[track] || ageMs >= waitMs;
  }

  #onResponse(status: number): void {
    if (status === 200) return;
    this.#fault('status', outcomeOf(judgeStatus(status, 'stream')), toldOf(status));
  }

  #onData(chunk: Buffer): boolean {
    if (this.#isEnded) return true;
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
    if (this.#isEnded) return true;
    if (!this.#isLive) this.cache.received(chunk.length);
    this.#isPaused = !this.#observer.onChunk(chunk.length);
    if (this.#isPaused) this.#health.pause();
    return !this.#isPaused;
  }

  #onTag(tag: FlvTag): void {
    if (this.#isEnded) return;
    const isMedia = tag.slot === undefined && tag.type !== tagType.script;
    if (isMedia) this.#health.onTag(tag, this.#now());
    if (tag.keyframe) this.#isOverdueTold = false;
    if (!this.#isLive) this.cache.push(tag);
    else if (this.#observer.onTag(tag) && isMedia) this.#health.onTaken();
  }

  /** What waits in the socket is read first: this process itself may have stood still, and timers come before sockets. */
  #checkAfter(waitMs: number): void {
    this.#timer = setTimeout(() => setImmediate(() => this.#checkHealth()), waitMs);
  }

  #checkHealth(): void {
    if (this.#isEnded) return;
    const now = this.#now();
    const health = this.#health.at(now);
    if (health === 'stalled') {
      const code = this.#health.ageMs(now) === undefined ? 'upstream_first_byte_timeout' : 'upstream_idle_timeout';
      this.#fault('stall', 'stall', new WeirError(code, { detail: 'The endpoint sends no media.' }));
    } else if (health === 'keyframe_overdue' && !this.#isOverdueTold) {
      this.#isOverdueTold = true;
      this.#onKeyframeOverdue();
    }
    if (!this.#isEnded) this.#checkAfter(this.#health.nextCheckMs(now));
  }

  #onKeyframeOverdue(): void {
    if (this.#isLive || this.isReady('settled')) this.#observer.onKeyframeOverdue();
    else this.#fault('no_keyframe', 'stall', new WeirError('upstream_idle_timeout', { detail: 'No keyframe came.' }));
  }

  #fault(fault: PullFault, outcome: Outcome, error: WeirError): void {
    if (this.#isEnded) return;
    // What was cut after it went well for a while is no gateway failure, as for any other request; silence and garbage are.
    const isExcused = this.#isLive && (fault === 'end' || fault === 'cut');
    this.close(isExcused ? 'interrupted' : outcome);
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
