// How a playlist relates to the window that players have: whether it continues, is an old copy, or comes from an origin
// that began anew. Also whether two origins share their packaging, and where a window goes on at another origin. Pure.

import { find, type MediaPlaylist, type Segment } from '../playlist/model.js';
import { durationOf, type Entry, incarnationKey, type MediaWindow } from './live-window.js';
import type { SplicePoint } from './period.js';

export type Relation = 'continues' | 'behind' | 'restarted';

/** Two durations, or two points in time, count as equal within so many seconds. */
const durationToleranceSeconds = 0.01;
const clockToleranceSeconds = 1;
/** Segments that may come at once, whatever time has passed. */
const maxSegmentsAtOnce = 30;

/** Number of the first segment that is listed. */
export function firstSequence(playlist: MediaPlaylist): number {
  return playlist.mediaSequence + playlist.skipped;
}

/** Number of the last segment, or of the one before the first when none is listed. */
export function lastSequence(playlist: MediaPlaylist): number {
  return firstSequence(playlist) + playlist.segments.length - 1;
}

/**
 * How the playlist that the window's own origin gives now relates to what it gave before.
 *
 * `behind` is an old copy (a cache, a replica that lags): nothing is lost by leaving it out. It is a restart when the
 * names or durations under known numbers differ, when the list begins anew (shorter, or wholly before what is known),
 * when it stays behind for one and a half target durations, or when it leaps or grows further than time allows.
 */
export function relate(window: MediaWindow, playlist: MediaPlaylist, now: number): Relation {
  const known = numbered(window);
  let overlap = 0;
  for (const segment of playlist.segments) {
    const entry = known.get(segment.sequence);
    if (entry === undefined) continue;
    overlap += 1;
    if (bareName(entry.origin.name) !== bareName(nameOf(segment)) || !alike(entry, segment)) return 'restarted';
  }
  const last = lastSequence(playlist);
  const { origin } = window;
  if (last < origin.last) {
    const shorter = playlist.segments.length < origin.last - origin.first + 1;
    if (overlap === 0 || shorter) return 'restarted';
    const patienceMs = 1.5 * window.targetDurationSeconds * 1000;
    const since = window.behindSince;
    return since !== undefined && now - since >= patienceMs ? 'restarted' : 'behind';
  }
  const elapsedSeconds = Math.max(0, now - window.grownAt) / 1000;
  const fastest = Math.max(0.1, averageOf(playlist) / 4);
  return last - origin.last > elapsedSeconds / fastest + maxSegmentsAtOnce ? 'restarted' : 'continues';
}

/**
 * Whether another origin lists the very same segments: the same numbers for the same names and durations (and times,
 * where both tell them), at an edge that agrees with the time that has passed. Two packagers that merely count alike
 * differ in where they are.
 */
export function sharesPackaging(window: MediaWindow, playlist: MediaPlaylist, now: number): boolean {
  const known = numbered(window);
  const pairs = playlist.segments.flatMap((segment) => {
    const entry = known.get(segment.sequence);
    return entry === undefined ? [] : [{ entry, segment }];
  });
  if (pairs.length < Math.min(2, known.size, playlist.segments.length) || pairs.length === 0) return false;
  if (!pairs.every(({ entry, segment }) => bareName(entry.origin.name) === bareName(nameOf(segment)))) return false;
  if (!pairs.every(({ entry, segment }) => alike(entry, segment))) return false;
  const elapsedSeconds = Math.max(0, now - window.grownAt) / 1000;
  const ahead = lastSequence(playlist) - window.origin.last;
  return ahead >= -1 && ahead <= Math.ceil(elapsedSeconds / Math.max(0.1, averageOf(playlist))) + 1;
}

/**
 * Index of the first segment with which the window goes on; undefined when the origin has nothing yet that should
 * follow.
 *
 * Where another playlist of the channel went on, so that all switch at one point; else by the clock where both origins
 * tell the time and agree on it; else as many segments from the live edge as time has passed since the window grew
 * last, one at least: fewer would drain the players' buffers, more would repeat what they have seen.
 *
 * @param agreed where another playlist went on
 */
export function chooseSplicePoint(
  window: MediaWindow,
  playlist: MediaPlaylist,
  target: { readonly source: string; readonly incarnation: string; readonly agreed: SplicePoint | undefined },
  now: number,
): number | undefined {
  const { segments } = playlist;
  const listed = window.listed.get(incarnationKey(target.source, target.incarnation)) ?? -1;
  const fresh = segments.findIndex((segment) => segment.sequence > listed);
  if (fresh === -1) return undefined;
  const agreed = target.agreed === undefined ? undefined : indexOfSplicePoint(playlist, target.agreed, now);
  if (agreed !== undefined) {
    const index = Math.max(fresh, agreed);
    return index < segments.length ? index : undefined;
  }
  const elapsedSeconds = Math.max(0, now - window.grownAt) / 1000;
  const byClock = splicePointByClock(window, segments, elapsedSeconds);
  if (byClock === 'wait') return undefined;
  if (byClock !== undefined) return Math.max(fresh, byClock);
  const count = Math.max(1, Math.round(elapsedSeconds / Math.max(0.1, averageOf(playlist))));
  return Math.max(fresh, segments.length - count, 0);
}

/**
 * Index of the segment with the splice point's number; the length of the list when it is the next one to come.
 * Undefined when it is not listed, or when this playlist counts otherwise than the one that chose the splice point: its
 * number then means another time.
 */
export function indexOfSplicePoint(playlist: MediaPlaylist, splicePoint: SplicePoint, now: number): number | undefined {
  const { segments } = playlist;
  const index = splicePoint.sequence - firstSequence(playlist);
  if (index < 0 || index > segments.length) return undefined;
  const there = segments[index];
  if (splicePoint.clockMs !== undefined && there?.programDateTime !== undefined) {
    const half = Math.max(there.durationSeconds / 2, durationToleranceSeconds);
    return Math.abs(there.programDateTime - splicePoint.clockMs) <= half * 1000 ? index : undefined;
  }
  // Without a clock: how far it is from the live edge, which has moved on since as time has.
  const behind = splicePoint.behindSeconds + Math.max(0, now - splicePoint.at) / 1000;
  const apart = Math.abs(durationOf(segments.slice(index)) - behind);
  return apart <= 2 * Math.max(playlist.targetDurationSeconds, averageOf(playlist)) ? index : undefined;
}

/** undefined: the clocks are missing, or so far apart that they cannot be the same one. */
function splicePointByClock(
  window: MediaWindow,
  segments: readonly Segment[],
  elapsedSeconds: number,
): number | 'wait' | undefined {
  const last = window.entries.at(-1);
  const edge = segments.at(-1);
  if (last?.programDateTime === undefined || edge?.programDateTime === undefined) return undefined;
  const end = last.programDateTime + last.durationSeconds * 1000;
  const leadSeconds = (edge.programDateTime - end) / 1000 + edge.durationSeconds;
  if (Math.abs(leadSeconds - elapsedSeconds) > 3 * window.targetDurationSeconds + durationOf(segments))
    return undefined;
  const index = segments.findIndex(
    ({ programDateTime, durationSeconds }) =>
      programDateTime !== undefined && programDateTime >= end - durationSeconds * 500,
  );
  if (index !== -1) return index;
  // It has yet to come to where the other one ended. That may last for as long as players have something to play.
  return elapsedSeconds < 1.5 * window.targetDurationSeconds ? 'wait' : segments.length - 1;
}

/** The entries that the window's present numbering holds for, by the origin's number. */
function numbered(window: MediaWindow): Map<number, Entry> {
  const known = new Map<number, Entry>();
  for (const entry of window.entries) {
    if (entry.numbering === window.numbering) known.set(entry.origin.sequence, entry);
  }
  return known;
}

function alike(entry: Entry, segment: Segment): boolean {
  if (Math.abs(entry.durationSeconds - segment.durationSeconds) > durationToleranceSeconds) return false;
  if (entry.programDateTime === undefined || segment.programDateTime === undefined) return true;
  return Math.abs(entry.programDateTime - segment.programDateTime) < clockToleranceSeconds * 1000;
}

/** A segment's path and byte range. Its query is left out: tokens change from one playlist to the next. */
export function nameOf(segment: Segment): string {
  const path = segment.uri.split(/[?#]/, 1)[0] ?? '';
  return segment.byteRange === undefined ? path : `${path}@${segment.byteRange.offset}`;
}

function bareName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function averageOf(playlist: MediaPlaylist): number {
  const { segments } = playlist;
  return segments.length === 0 ? playlist.targetDurationSeconds : durationOf(segments) / segments.length;
}

/** True for a playlist of parts: players want it the moment it changes. */
export function isLowLatency(playlist: MediaPlaylist): boolean {
  return find(playlist.header, 'EXT-X-PART-INF') !== undefined;
}
