// Stretches measured: where segments of an origin stand in a plan, taken from its playlist or from what players saw. Pure.

import type { MediaPlaylist } from '../playlist/model.js';
import { originDiscontinuity } from '../presentation/advance.js';
import { durationOf, type MediaWindow } from '../presentation/live-window.js';
import { firstSequence } from '../presentation/splice.js';
import { type Plan, presentStretches, type Stretch } from './plan.js';

/** What a playlist says of a stretch that begins in it. */
export type Measured = Pick<Stretch, 'period' | 'from' | 'clockMs' | 'behindSeconds' | 'at' | 'segmentSeconds'>;

/** A stretch from one segment on. @param index of its first segment; it may be the next one to come */
export function stretchFrom(playlist: MediaPlaylist, index: number, period: number, at: number): Measured {
  const { segments, targetDurationSeconds } = playlist;
  return {
    period,
    from: firstSequence(playlist) + index,
    clockMs: segments[index]?.programDateTime,
    behindSeconds: durationOf(segments.slice(index)),
    at,
    segmentSeconds: segments.length === 0 ? targetDurationSeconds : durationOf(segments) / segments.length,
  };
}

/** The same from an origin's number on, whether it is listed or not. */
export function measure(playlist: MediaPlaylist, from: number, period: number, at: number): Measured {
  const index = Math.max(0, Math.min(playlist.segments.length, from - firstSequence(playlist)));
  return { ...stretchFrom(playlist, index, period, at), from };
}

/** The last entries of a window without a discontinuity between them, as a stretch. */
export function lastRun({ entries, numbering }: MediaWindow) {
  let index = entries.length - 1;
  while (index > 0 && entries[index]?.discontinuity !== true && entries[index - 1]?.numbering === numbering) index -= 1;
  const entry = entries[index];
  if (entry === undefined) throw new Error('A window without an entry.');
  const { sequence, discontinuitySequence, discontinuity, origin } = entry;
  return { from: origin.sequence, first: sequence, discontinuity: discontinuitySequence, tagged: discontinuity };
}

/** Player's discontinuity sequence less origin's, where both have the last segment of the window. */
export function baseOf({ entries, origin }: MediaWindow, playlist: MediaPlaylist): number {
  const index = Math.max(0, Math.min(playlist.segments.length - 1, origin.last - firstSequence(playlist)));
  return (entries.at(-1)?.discontinuitySequence ?? 0) - originDiscontinuity(playlist, index);
}

/** The highest discontinuity sequence number that any playlist of the plan has; -1 for none. */
export function topOf({ lists }: Plan): number {
  let top = -1;
  for (const stretches of lists.values()) top = Math.max(top, stretches.at(-1)?.discontinuity ?? -1);
  return top;
}

/** Where another playlist of the channel entered the present period. */
export function sisterOf(plan: Plan): Stretch | undefined {
  for (const list of plan.lists.keys()) {
    const [first] = presentStretches(plan, list);
    if (first !== undefined) return first;
  }
  return undefined;
}
