// The length of a window: which entries leave at its head, and its target duration. Pure.

import type { MediaPlaylist } from '../playlist/model.js';
import { charsOf, durationOf, type Entry } from './live-window.js';

/**
 * Entries beyond those that the origin lists. Three target durations of the shortest usual segments are a tenth of it.
 */
export const maxKeptEntries = 1_000;
/** UTF-16 units of all entries: beyond it those leave that the origin lists no more. */
export const maxKeptChars = 16 * 1024 * 1024;
/** Seconds; live lists have segments of 2 to 10. */
const usualTargetSeconds = 30;

/**
 * Removes entries that the origin lists no more. At least the origin's own window and three target durations remain (RFC
 * 8216, section 6.2.2), unless there are more entries than any honest list has.
 */
export function trim(
  entries: readonly Entry[],
  playlist: MediaPlaylist,
  numbering: number,
  targetSeconds: number,
): readonly Entry[] {
  const minSeconds = Math.max(3 * targetSeconds, durationOf(playlist.segments)) - 0.001;
  const maxEntries = playlist.segments.length + maxKeptEntries;
  let remaining = durationOf(entries);
  let chars = charsOf(entries);
  let from = 0;
  for (const entry of entries) {
    const stillListed = entry.numbering === numbering && entry.origin.sequence >= playlist.mediaSequence;
    const crowded = entries.length - from > maxEntries || chars > maxKeptChars;
    remaining -= entry.durationSeconds;
    chars -= entry.chars;
    if (stillListed || (remaining < minSeconds && !crowded)) break;
    from += 1;
  }
  return from === 0 ? entries : entries.slice(from);
}

/** EXTINF rounds to the nearest integer, and must not exceed the target duration (RFC 8216, section 4.3.3.1). */
export function targetDurationSeconds(minSeconds: number, entries: readonly Entry[]): number {
  return entries.reduce(
    (longest, entry) => Math.max(longest, Math.round(entry.durationSeconds)),
    Math.max(1, minSeconds),
  );
}

/**
 * Whether a target duration is so long that only an origin in error says it, and the next origin says another one. Players
 * reload as rarely as it says, and it must not change: it would slow down the channel for good.
 */
export function isUnusual(targetSeconds: number, next: number): boolean {
  return targetSeconds > usualTargetSeconds && 3 * next < targetSeconds;
}
