// The clock that viewers see. Origins restart theirs, jump, and differ from each other; what leaves the relay never steps
// back within a track, and after a splice leaves no larger gap than what was really lost. Pure: the caller brings the time.
//
// Why it matters: a step back freezes a player for about the size of the step, a step forward does not (facts measured
// with mpegts.js); ffmpeg reports a decoding timestamp that goes back as an error for each frame.

import type { TagType } from './tag.js';

/** A step back within a track up to this is jitter: the timestamp is held, the frame is sent. */
const maxJitterMs = 250;
/** A step forward up to this, or up to the time that passed, is a stream with holes. */
const maxGapMs = 3_000;
/** Distance of frames as long as none was measured, and the longest one believed. */
const defaultStepMs = 1;
const maxStepMs = 100;

/** On a clock of 32 bits a step of half of it or more is one back. */
const maxForwardMs = 0x7fff_ffff;

/** Origins of one encoder are believed to be no further apart than this. */
const maxLagMs = 2_000;

interface Track {
  /** The last timestamp as the source gave it. */
  source: number;
  /** The last one given out, counted on beyond 32 bits. */
  out: number;
  /** Distance of the last two frames. */
  step: number;
  /** After a splice: what was already given out; older frames of the new source are dropped until it is passed. */
  floor: number | undefined;
}

/** Signed distance from `a` to `b` on the 32-bit circle: right across the wrap after 49.7 days. */
const distance = (a: number, b: number): number => (b - a) | 0;

/** Which way a source broke with its own clock; undefined: it did not. */
export type Jump = 'back' | 'forward' | undefined;

/** Timestamps are in ms, of 32 bits, as FLV has them. */
export class TagTimeline {
  readonly #tracks = new Map<TagType, Track>();
  /** A point where both clocks are known: `#source` (32 bits) was given out as `#out`. */
  #source = 0;
  #out: number | undefined;

  /** The latest time given out on any track, ms; undefined before the first. */
  get edge(): number | undefined {
    let edge: number | undefined;
    for (const track of this.#tracks.values()) edge = Math.max(edge ?? track.out, track.out);
    return edge;
  }

  /** The last timestamp given out on a track (32 bits), or on any when the track had none; 0 before the first. */
  last(type: TagType): number {
    return (this.#tracks.get(type)?.out ?? this.edge ?? this.#out ?? 0) >>> 0;
  }

  /**
   * Goes on with another clock, whose timestamp `first` belongs to a frame of track `type` (a keyframe where there is
   * video).
   *
   * @param lostMs passed since the last tag of the old clock arrived
   * @param leadMs media from `first` to the newest tag that is already here (an origin's own GOP cache). With it the
   *   new live edge falls where time has come to, but never before what was given out.
   */
  splice(type: TagType, first: number, lostMs: number, leadMs: number): void {
    const edge = this.edge;
    this.#source = first;
    if (edge === undefined) {
      this.#out ??= first;
      return;
    }
    const track = this.#tracks.get(type);
    const next = track === undefined ? edge : track.out + track.step;
    this.#out = Math.min(Math.max(next, edge + lostMs - leadMs), next + lostMs);
    for (const each of this.#tracks.values()) each.floor = each.out;
  }

  /**
   * Whether a group of another clock can be the one that was given out from `out` (32 bits) on: its newest tag, `leadMs`
   * after that, must lie near to where time has come to, `lostMs` after the last tag.
   */
  fits(out: number, lostMs: number, leadMs: number): boolean {
    const { edge } = this;
    return edge !== undefined && Math.abs(distance(edge >>> 0, out) + leadMs - lostMs) <= maxLagMs;
  }

  /** Goes on with another clock, of which `first` was given out as `out`. What viewers have is left out. */
  align(first: number, out: number): void {
    const edge = this.edge ?? out;
    this.#source = first;
    this.#out = edge + distance(edge >>> 0, out);
    for (const each of this.#tracks.values()) each.floor = each.out;
  }

  /**
   * Whether this media timestamp breaks with the clock in use. A track may pause while another one goes on (a camera or a
   * microphone switched off, slides): forward is only what leaves both its own track and the newest time behind.
   *
   * @param elapsedMs since the last tag of any track
   */
  jump(type: TagType, timestamp: number, elapsedMs: number): Jump {
    const track = this.#tracks.get(type);
    if (track === undefined || track.floor !== undefined) return undefined;
    const delta = distance(track.source, timestamp);
    if (delta < -maxJitterMs) return 'back';
    const ahead = Math.min(delta, distance(this.#source, timestamp));
    return ahead > Math.max(maxGapMs, elapsedMs + maxGapMs / 3) ? 'forward' : undefined;
  }

  /** The timestamp to give out (32 bits) for a media tag, or undefined when the tag was already covered before a splice. */
  map(type: TagType, timestamp: number): number | undefined {
    this.#out ??= timestamp;
    if (this.#tracks.size === 0) this.#source = timestamp;
    const wanted = this.#out + distance(this.#source, timestamp);
    const track = this.#tracks.get(type);
    if (track === undefined) {
      this.#tracks.set(type, { source: timestamp, out: wanted, step: defaultStepMs, floor: undefined });
    } else {
      if (track.floor !== undefined && wanted <= track.floor) return undefined;
      const out = Math.min(Math.max(wanted, track.out), track.out + maxForwardMs);
      if (out > track.out && track.floor === undefined) track.step = Math.min(out - track.out, maxStepMs);
      track.source = timestamp;
      track.out = out;
      track.floor = undefined;
    }
    // Moved along so that distances stay small against the 32-bit circle.
    this.#source = timestamp;
    this.#out = wanted;
    return (track?.out ?? wanted) >>> 0;
  }
}
