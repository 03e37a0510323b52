// Whether a playlist has what a low-latency player asks for, will have it soon, or is asked for too much (RFC 8216bis,
// section 6.2.5.2). Pure.

import type { MediaWindow } from './live-window.js';

/** What a player waits for, in the numbers that players see. */
export interface Position {
  readonly sequence: number;
  /** undefined: the whole segment. */
  readonly part: number | undefined;
}

/** there: the window has it. beyond: no player that follows the playlist asks for it yet. */
export type Reach = 'there' | 'coming' | 'beyond';

/** How a position lies to what the window has. Where the list has ended, everything is there. */
export function reachOf(window: MediaWindow, position: Position): Reach {
  // Nothing comes any more.
  if (window.ended) return 'there';
  const last = window.entries.at(-1);
  const { sequence, part } = settled(window, position);
  const ahead = sequence - (last?.sequence ?? -1);
  if (ahead <= 0 || (ahead === 1 && part !== undefined && part < window.tailParts)) return 'there';
  if (ahead > 2) return 'beyond';
  const { partTargetSeconds } = window.delivery;
  if (part === undefined || partTargetSeconds === undefined) return 'coming';
  // Of the segment after the next one: what the next one lacks comes before.
  const perSegment = Math.ceil(window.targetDurationSeconds / partTargetSeconds);
  const before = ahead === 1 ? 0 : Math.max(perSegment, window.tailParts);
  const limit = partTargetSeconds < 1 ? 3 / partTargetSeconds : 3;
  return before + part - (window.tailParts - 1) > limit ? 'beyond' : 'coming';
}

/**
 * A part behind the last one of its segment is the first of the next segment; without parts it is the segment that
 * counts.
 */
function settled({ entries, delivery }: MediaWindow, { sequence, part }: Position): Position {
  const last = entries.at(-1);
  if (part === undefined || delivery.partTargetSeconds === undefined) return { sequence, part: undefined };
  const parts = last?.parts.length ?? 0;
  return sequence === last?.sequence && parts > 0 && part >= parts
    ? { sequence: sequence + 1, part: 0 }
    : { sequence, part };
}
