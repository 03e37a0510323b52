// The coherence of a channel's HLS across endpoints, as one pure step: from what players saw, and what an endpoint lists
// now, it computes what players see next. Whatever origins do, the media sequence that players see never goes back, a
// number never changes its URI, and a change of origin is a discontinuity with the right number.

import type { MediaPlaylist } from '../playlist/model.js';
import type { Locate } from '../url/rewrite.js';
import { continueEntries, endOf, makeEntries } from './entries.js';
import { finish, originOf } from './finish-window.js';
import { durationOf, type Entry, incarnationKey, type MediaWindow, nextListed } from './live-window.js';
import { agreedNumber, incarnationOf, type Period, raised, type SplicePoint, startIncarnation } from './period.js';
import {
  chooseSplicePoint,
  firstSequence,
  indexOfSplicePoint,
  lastSequence,
  relate,
  sharesPackaging,
} from './splice.js';
import { isUnusual } from './trim.js';

/** What a step uses beside the playlists. */
export interface StepContext {
  /** Monotonic ms. */
  readonly now: number;
  readonly locate: (incarnation: string) => Locate;
  /** A name for a new incarnation of an origin: never used before, letters and digits in lower case. */
  readonly nextIncarnation: string;
  /** False: an end of the list is kept from players, since another endpoint may go on. */
  readonly allowEnd: boolean;
  /** The bytes of a segment that both origins list differ: they do not share their packaging, whatever they call it. */
  readonly bytesDiffer: boolean;
  /** Whether a segment cannot be fetched any more: it leaves the list, with all before it. */
  readonly lost: (entry: Entry) => boolean;
}

export type StepOutcome =
  /** The first playlist. */
  | 'started'
  | 'grown'
  | 'same'
  /** An old copy: left out. */
  | 'behind'
  /** Went on with another origin behind a discontinuity. */
  | 'switched'
  /** Went on with another origin that shares the packaging. */
  | 'joined'
  /** Went on with the same origin, which counts anew. */
  | 'restarted'
  /** The origin has nothing yet that should follow. */
  | 'waiting'
  /** A playlist without a segment. */
  | 'empty';

export interface Stepped {
  readonly change: StepOutcome;
  readonly period: Period;
  /** undefined only when there never was a segment. */
  readonly window: MediaWindow | undefined;
  readonly appended: readonly Entry[];
}

/**
 * What players see after a playlist of the period's endpoint.
 *
 * @param window what its players saw last; undefined: nothing yet
 */
export function advance(
  period: Period,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): Stepped {
  if (playlist.segments.length === 0) return { change: 'empty', period, window, appended: [] };
  if (window === undefined) return start(period, playlist, step);
  if (window.period === period.number) {
    const relation = relate(window, playlist, step.now);
    const isRestarted = relation === 'restarted' || (window.ended && !isOver(window, playlist));
    if (isRestarted) return cross(startIncarnation(period, step.nextIncarnation), window, playlist, step, 'restarted');
    if (relation === 'behind') {
      const behind = { ...window, behindSince: window.behindSince ?? step.now };
      return { change: 'behind', period, window: behind, appended: [] };
    }
    return goOn(period, window, playlist, step, undefined);
  }
  const shared = period.shared ?? (!step.bytesDiffer && mayShare(period, window, playlist, step.now));
  if (shared) {
    const joined: Period = { ...period, shared, base: period.base ?? period.baseBefore };
    return goOn(joined, window, playlist, step, 'joined');
  }
  return cross(period, window, playlist, step, 'switched');
}

/** Segments that the origin listed before under numbers of its own cannot be listed under these. */
function mayShare(period: Period, window: MediaWindow, playlist: MediaPlaylist, now: number): boolean {
  if (window.period !== period.number - 1) return false;
  const listed = window.listed.get(incarnationKey(period.source, incarnationOf(period))) ?? -1;
  return listed <= window.origin.last && sharesPackaging(window, playlist, now);
}

/** Whether an origin's list has ended where the window did. */
export function isOver(window: MediaWindow, playlist: MediaPlaylist): boolean {
  return playlist.ended && lastSequence(playlist) === window.origin.last;
}

/** Discontinuity sequence number of a segment as the origin counts. */
export function originDiscontinuity(playlist: MediaPlaylist, index: number): number {
  const tags = playlist.segments.slice(0, index + 1).filter((segment) => segment.discontinuity).length;
  return (playlist.discontinuitySequence ?? 0) + tags;
}

/**
 * What an endpoint gives first. Where the channel's other playlists went on at a splice point that it still lists, it
 * begins there: what this origin has from before has no number among theirs.
 */
function start(period: Period, playlist: MediaPlaylist, step: StepContext): Stepped {
  const incarnation = incarnationOf(period);
  const numbering = period.number;
  const context = { locate: step.locate(incarnation), source: period.source, incarnation, numbering, offset: 0 };
  const from = period.splicePoint === undefined ? 0 : beginAt(playlist, period.splicePoint, step.now);
  const counted = originDiscontinuity(playlist, from);
  const number = agreedNumber(period, counted, playlist.segments[from]?.discontinuity ? 1 : 0);
  const appended = makeEntries(playlist.segments.slice(from), context, number);
  const window = finish(
    {
      entries: appended,
      period: period.number,
      numbering,
      source: period.source,
      incarnation,
      offset: 0,
      origin: originOf(playlist),
      targetDurationSeconds: playlist.targetDurationSeconds,
      version: playlist.version,
      dateRanges: [],
      grownAt: step.now,
      behindSince: undefined,
      listed: new Map([[incarnationKey(period.source, incarnation), lastSequence(playlist)]]),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd, lagging: false },
  );
  const entered = { ...period, base: period.base ?? number - counted };
  return { change: 'started', period: raised(entered, appended), window, appended };
}

/** Index of the first segment for a playlist that begins when others have gone on at the splice point. */
function beginAt(playlist: MediaPlaylist, splicePoint: SplicePoint, now: number): number {
  const { segments } = playlist;
  const index = indexOfSplicePoint(playlist, splicePoint, now) ?? indexAt(playlist, splicePoint.clockMs);
  return index < segments.length ? index : 0;
}

/** Index of the segment that begins at that time or next to it; 0 where the clock does not tell. */
function indexAt({ segments }: MediaPlaylist, clock: number | undefined): number {
  if (clock === undefined) return 0;
  const index = segments.findIndex(
    ({ programDateTime, durationSeconds }) =>
      programDateTime !== undefined && programDateTime >= clock - durationSeconds * 500,
  );
  return Math.max(0, index);
}

/** The numbering holds: what is new is appended. */
function goOn(
  period: Period,
  window: MediaWindow,
  playlist: MediaPlaylist,
  step: StepContext,
  change: 'joined' | undefined,
): Stepped {
  const incarnation = incarnationOf(period);
  const { offset, numbering } = window;
  const context = { locate: step.locate(incarnation), source: period.source, incarnation, numbering, offset };
  const fresh = playlist.segments.filter((segment) => segment.sequence > window.origin.last);
  const [first] = fresh;
  const missing = first === undefined ? 0 : first.sequence - window.origin.last - 1;
  const last = window.entries.at(-1);
  let from = last?.discontinuitySequence ?? 0;
  if (missing > 0 && period.base !== undefined && playlist.discontinuitySequence !== undefined) {
    // The segments in between are not known, but the origin counts their discontinuities. No segment has more than one.
    const told = period.base + originDiscontinuity(playlist, 0) - (first?.discontinuity ? 1 : 0);
    from = Math.max(from, Math.min(told, from + missing));
  }
  const end = last === undefined || missing > 0 ? undefined : endOf(last);
  const appended = continueEntries(fresh, context, { discontinuitySequence: from, end });
  const lagging = lastSequence(playlist) < window.origin.last;
  const origin = lagging ? window.origin : originOf(playlist);
  const next = finish(
    {
      ...window,
      entries: missing > 0 ? appended : [...window.entries, ...appended],
      period: period.number,
      source: period.source,
      incarnation,
      origin,
      grownAt: appended.length > 0 ? step.now : window.grownAt,
      behindSince: undefined,
      listed: nextListed(window.listed, incarnationKey(period.source, incarnation), origin.last),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd || window.ended, lagging },
  );
  const outcome = change ?? (appended.length > 0 ? 'grown' : 'same');
  return { change: outcome, period: raised(period, appended), window: next, appended };
}

/** Another origin, or another incarnation of the same: the window goes on behind a discontinuity. */
function cross(
  period: Period,
  window: MediaWindow,
  playlist: MediaPlaylist,
  step: StepContext,
  change: 'switched' | 'restarted',
): Stepped {
  const incarnation = incarnationOf(period);
  const { source } = period;
  const gone = lastSequence(playlist) < (window.listed.get(incarnationKey(source, incarnation)) ?? -1);
  if (gone && change !== 'restarted') {
    // It was here before and counts from the start again: its names mean other segments now.
    return cross(startIncarnation(period, step.nextIncarnation), window, playlist, step, 'restarted');
  }
  const index = chooseSplicePoint(window, playlist, { source, incarnation, agreed: period.splicePoint }, step.now);
  const last = window.entries.at(-1);
  if (index === undefined || last === undefined) {
    return { change: 'waiting', period: { ...period, shared: false }, window, appended: [] };
  }
  const fresh = playlist.segments.slice(index);
  const splicePoint = firstSequence(playlist) + index;
  const offset = last.sequence + 1 - splicePoint;
  const counted = originDiscontinuity(playlist, index);
  const discontinuitySequence = agreedNumber(period, counted, last.discontinuitySequence + 1);
  const base = period.base ?? discontinuitySequence - counted;
  const context = { locate: step.locate(incarnation), source, incarnation, numbering: period.number, offset };
  const appended = continueEntries(fresh, context, {
    discontinuitySequence: discontinuitySequence - 1,
    crossing: true,
  });
  // The old entries have to leave in three cases: this playlist missed a discontinuity, the last entry has a map that no
  // tag can end, or the target duration was so long that only an origin in error says it.
  const apart = discontinuitySequence > last.discontinuitySequence + 1;
  const unmapped = last.map !== undefined && fresh[0]?.map === undefined;
  const unusual = isUnusual(window.targetDurationSeconds, playlist.targetDurationSeconds);
  const kept = apart || unmapped || unusual ? [] : window.entries.slice(lostUntil(window.entries, step.lost));
  const next = finish(
    {
      ...window,
      entries: [...kept, ...appended],
      period: period.number,
      numbering: period.number,
      source,
      incarnation,
      offset,
      origin: originOf(playlist),
      targetDurationSeconds: unusual ? playlist.targetDurationSeconds : window.targetDurationSeconds,
      grownAt: appended.length > 0 ? step.now : window.grownAt,
      behindSince: undefined,
      listed: nextListed(window.listed, incarnationKey(source, incarnation), lastSequence(playlist)),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd, lagging: false },
  );
  const chosen = {
    sequence: splicePoint,
    clockMs: fresh[0]?.programDateTime,
    behindSeconds: durationOf(fresh),
    at: step.now,
  };
  const entered: Period = { ...period, base, splicePoint: period.splicePoint ?? chosen, shared: false };
  return { change, period: raised(entered, appended), window: next, appended };
}

/** Index behind the last entry that is lost; never beyond the end. */
function lostUntil(entries: readonly Entry[], lost: (entry: Entry) => boolean): number {
  return entries.findLastIndex((entry) => entry.fetchable && lost(entry)) + 1;
}
