// Pure: the health of a pull's media, judged by the times of its tags. A good HTTP response does not mean that pictures come.

import { type FlvTag, tagType } from '../flv/tag.js';

/** For how long a pull is borne. */
export interface HealthSettings {
  /** Without a media tag. */
  readonly stallTimeoutMs: number;
  /** Without a keyframe, where there is video. */
  readonly keyframeTimeoutMs: number;
}

/** `stalled`: no media came, or none that viewers got. `keyframe_overdue`: pictures come, but none to start with. */
export type MediaCondition = 'well' | 'stalled' | 'keyframe_overdue';

/** Pictures that come further apart than this, in ms, are slides, or a camera was switched off: no keyframe is due. */
const maxPictureDistanceMs = 2_500;

/** All times are monotonic ms. */
export class MediaHealth {
  readonly #settings: HealthSettings;
  #keyframeTimeoutMs: number;
  #firstTagAt: number | undefined;
  #lastTagAt = 0;
  /** When viewers last got media of it; undefined until they can. */
  #takenAt: number | undefined;
  #isPaused = false;
  #keyframeAt: number | undefined;
  /** Since when pictures come without a pause and without a keyframe; undefined: they do not. */
  #picturesSince: number | undefined;
  #pictureAt = Number.NEGATIVE_INFINITY;

  constructor(settings: HealthSettings) {
    this.#settings = settings;
    this.#keyframeTimeoutMs = settings.keyframeTimeoutMs;
  }

  /** A media tag arrived. Headers are no sign of life: servers keep them for streams whose publisher is away. */
  onTag(tag: FlvTag, now: number): void {
    this.#lastTagAt = now;
    this.#firstTagAt ??= now;
    if (tag.type !== tagType.video) return;
    if (tag.keyframe) this.#keyframeAt = now;
    if (tag.keyframe || now - this.#pictureAt >= maxPictureDistanceMs) this.#picturesSince = now;
    this.#pictureAt = now;
  }

  /** From now on viewers are to get its media. What was given to them says more than what arrived. */
  goLive(now: number): void {
    this.#takenAt = now;
  }

  /** Viewers got the tag that arrived last. */
  onTaken(): void {
    this.#takenAt = this.#lastTagAt;
  }

  /** Nothing is read until `resume`: silence is ours, and says nothing. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(now: number): void {
    this.#isPaused = false;
    this.#lastTagAt = now;
    if (this.#takenAt !== undefined) this.#takenAt = now;
  }

  /** A group of pictures of this length is normal for the stream: a keyframe is overdue only after twice of it. */
  expectGroup(lengthMs: number): void {
    this.#keyframeTimeoutMs = Math.max(this.#settings.keyframeTimeoutMs, 2 * lengthMs);
  }

  /** ms since the first media tag; undefined before it. */
  ageMs(now: number): number | undefined {
    return this.#firstTagAt === undefined ? undefined : now - this.#firstTagAt;
  }

  /** ms from the first media tag to the newest keyframe; 0 where none came. */
  get keyframeAgeMs(): number {
    return this.#keyframeAt === undefined || this.#firstTagAt === undefined ? 0 : this.#keyframeAt - this.#firstTagAt;
  }

  /** To be asked when the deadline for the first tag is over, and from then on after `nextCheckMs`. */
  at(now: number): MediaCondition {
    const { stallTimeoutMs } = this.#settings;
    if (this.#silenceMs(now) >= stallTimeoutMs) return 'stalled';
    if (this.#uselessMs(now) >= Math.max(stallTimeoutMs, this.#keyframeTimeoutMs)) return 'stalled';
    return this.#isKeyframeOverdue(now) ? 'keyframe_overdue' : 'well';
  }

  /** ms after which it may be no longer well. */
  nextCheckMs(now: number): number {
    return Math.max(Math.min(this.#settings.stallTimeoutMs - this.#silenceMs(now), this.#keyframeTimeoutMs), 10);
  }

  /** ms without a media tag. */
  #silenceMs(now: number): number {
    if (this.#isPaused) return 0;
    return this.#firstTagAt === undefined ? Number.POSITIVE_INFINITY : now - this.#lastTagAt;
  }

  /** ms for which viewers got none of its tags, though it delivers. */
  #uselessMs(now: number): number {
    return this.#takenAt === undefined || this.#isPaused ? 0 : now - this.#takenAt;
  }

  /** A camera that is switched off sends no keyframes, and is not to blame. */
  #isKeyframeOverdue(now: number): boolean {
    if (this.#picturesSince === undefined || now - this.#pictureAt >= maxPictureDistanceMs) return false;
    return now - this.#picturesSince >= this.#keyframeTimeoutMs;
  }
}
