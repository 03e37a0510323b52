// The coherence of a channel's HLS across endpoints, as one pure step: what players saw, and what an endpoint lists now, give
// what players see next. Whatever origins do, for players the media sequence never goes back, a number never changes
// its URI, and a change of origin is a discontinuity with the right number.

import {
  continueEntries,
  type EntryContext,
  headerLines,
  type Locate,
  makeEntries,
  makeEntry,
  tailLines,
} from './entry.js';
import { type Epoch, lifeOf, raised, reincarnate } from './epoch.js';
import type { MediaPlaylist } from './playlist.js';
import { chooseSeam, lastSequence, relate, sharesPackaging } from './seam.js';
import { durationOf, type Entry, lifeKey, type MediaWindow } from './window.js';

export interface Step {
  readonly now: number;
  readonly locate: (life: string) => Locate;
  /** A name for a new life of an origin: never used before, letters and digits in lower case. */
  readonly nextLife: string;
  /** False: an end of the list is kept from players, since another endpoint may go on. */
  readonly allowEnd: boolean;
  /** The bytes of a segment that both origins list differ: they do not share their packaging, whatever they call it. */
  readonly bytesDiffer: boolean;
  /** Segments that nobody can fetch any more: they leave the list, with all before them. */
  readonly lost: (entry: Entry) => boolean;
}

export type Change =
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
  readonly change: Change;
  readonly epoch: Epoch;
  /** undefined only when there never was a segment. */
  readonly window: MediaWindow | undefined;
  readonly appended: readonly Entry[];
}

/** One playlist of the epoch's endpoint arrives for a rendition. `window` is what its players saw last. */
export function advance(epoch: Epoch, window: MediaWindow | undefined, playlist: MediaPlaylist, step: Step): Stepped {
  if (playlist.segments.length === 0) return { change: 'empty', epoch, window, appended: [] };
  if (window === undefined) return start(epoch, playlist, step);
  if (window.epoch === epoch.number) {
    const relation = relate(window, playlist, step.now);
    const reborn = relation === 'restarted' || (window.ended && !isOver(window, playlist));
    if (reborn) return cross(reincarnate(epoch, step.nextLife), window, playlist, step, 'restarted');
    if (relation === 'behind') {
      const behind = { ...window, behindSince: window.behindSince ?? step.now };
      return { change: 'behind', epoch, window: behind, appended: [] };
    }
    return goOn(epoch, window, playlist, step, undefined);
  }
  const shared = epoch.shared ?? (!step.bytesDiffer && mayShare(epoch, window, playlist, step.now));
  if (shared) {
    const joined: Epoch = { ...epoch, shared, base: epoch.base ?? epoch.baseBefore };
    return goOn(joined, window, playlist, step, 'joined');
  }
  return cross(epoch, window, playlist, step, 'switched');
}

/** What the origin listed before under numbers of its own cannot be told under these. */
function mayShare(epoch: Epoch, window: MediaWindow, playlist: MediaPlaylist, now: number): boolean {
  if (window.epoch !== epoch.number - 1) return false;
  const listed = window.listed.get(lifeKey(epoch.source, lifeOf(epoch))) ?? -1;
  return listed <= window.origin.last && sharesPackaging(window, playlist, now);
}

function isOver(window: MediaWindow, playlist: MediaPlaylist): boolean {
  return playlist.ended && lastSequence(playlist) === window.origin.last;
}

/** Discontinuity sequence number of a segment as the origin counts. */
function originDiscontinuity(playlist: MediaPlaylist, index: number): number {
  const tags = playlist.segments.slice(0, index + 1).filter((segment) => segment.discontinuity).length;
  return (playlist.discontinuitySequence ?? 0) + tags;
}

/**
 * The first playlist of a rendition. Where the others of the channel went on at a seam that it still lists, it begins there: what
 * this origin has from before has no number among theirs.
 */
function start(epoch: Epoch, playlist: MediaPlaylist, step: Step): Stepped {
  const life = lifeOf(epoch);
  const numbering = epoch.number;
  const context = { locate: step.locate(life), source: epoch.source, life, numbering, offset: 0 };
  const first = Math.max(0, (epoch.seam ?? 0) - playlist.mediaSequence - playlist.skipped);
  const from = first < playlist.segments.length ? first : 0;
  const counted = originDiscontinuity(playlist, from);
  const base = epoch.base ?? epoch.top + 1 - counted;
  const appended = makeEntries(playlist.segments.slice(from), context, base + counted);
  const window: MediaWindow = {
    entries: appended,
    epoch: epoch.number,
    numbering,
    source: epoch.source,
    life,
    offset: 0,
    origin: originOf(playlist),
    targetDuration: targetDuration(playlist.targetDuration, appended),
    version: playlist.version,
    header: headerLines(playlist),
    tail: tailLines(playlist, context.locate),
    ended: playlist.ended && step.allowEnd,
    grownAt: step.now,
    behindSince: undefined,
    listed: new Map([[lifeKey(epoch.source, life), lastSequence(playlist)]]),
  };
  return { change: 'started', epoch: raised({ ...epoch, base }, appended), window, appended };
}

/** The numbering holds: what is new is appended. */
function goOn(
  epoch: Epoch,
  window: MediaWindow,
  playlist: MediaPlaylist,
  step: Step,
  change: 'joined' | undefined,
): Stepped {
  const life = lifeOf(epoch);
  const { offset, numbering } = window;
  const context = { locate: step.locate(life), source: epoch.source, life, numbering, offset };
  const fresh = playlist.segments.filter((segment) => segment.sequence > window.origin.last);
  const last = window.entries.at(-1);
  const whole = fresh[0] !== undefined && fresh[0].sequence > window.origin.last + 1;
  let from = last?.discontinuitySequence ?? 0;
  if (whole && epoch.base !== undefined && playlist.discontinuitySequence !== undefined) {
    // What lay in between is not known; the origin says how many discontinuities did.
    const first = fresh[0];
    from = Math.max(from, epoch.base + originDiscontinuity(playlist, 0) - (first?.discontinuity ? 1 : 0));
  }
  const appended = continueEntries(fresh, context, from);
  const lagging = lastSequence(playlist) < window.origin.last;
  const kept = whole ? [] : window.entries;
  const next = finish(
    {
      ...window,
      epoch: epoch.number,
      source: epoch.source,
      life,
      origin: lagging ? window.origin : originOf(playlist),
      behindSince: undefined,
    },
    [...kept, ...appended],
    appended,
    playlist,
    context,
    step,
  );
  const outcome = change ?? (appended.length > 0 ? 'grown' : 'same');
  return { change: outcome, epoch: raised(epoch, appended), window: next, appended };
}

/** Another origin, or another life of the same: the window goes on behind a discontinuity. */
function cross(
  epoch: Epoch,
  window: MediaWindow,
  playlist: MediaPlaylist,
  step: Step,
  change: 'switched' | 'restarted',
): Stepped {
  const life = lifeOf(epoch);
  const target = { source: epoch.source, life, agreed: epoch.seam };
  const gone = lastSequence(playlist) < (window.listed.get(lifeKey(target.source, life)) ?? -1);
  if (gone && change !== 'restarted') {
    // It was here before and counts from the start again: what it lists now is not what its names stood for.
    return cross(reincarnate(epoch, step.nextLife), window, playlist, step, 'restarted');
  }
  const index = chooseSeam(window, playlist, target, step.now);
  const last = window.entries.at(-1);
  if (index === undefined || last === undefined) {
    return { change: 'waiting', epoch: { ...epoch, shared: false }, window, appended: [] };
  }
  const fresh = playlist.segments.slice(index);
  const seam = playlist.mediaSequence + playlist.skipped + index;
  const offset = last.sequence + 1 - seam;
  const counted = originDiscontinuity(playlist, index);
  // The first to enter an epoch counts for all: beyond what any rendition has listed.
  const agreed = epoch.base === undefined ? epoch.top + 1 : epoch.base + counted;
  const discontinuitySequence = Math.max(last.discontinuitySequence + 1, agreed);
  const base = epoch.base ?? discontinuitySequence - counted;
  const context = { locate: step.locate(life), source: epoch.source, life, numbering: epoch.number, offset };
  const [first, ...rest] = fresh;
  const head = first === undefined ? [] : [makeEntry(first, context, { discontinuity: true, discontinuitySequence })];
  const appended = [...head, ...continueEntries(rest, context, discontinuitySequence)];
  // A discontinuity that this rendition slept through, or a map that no tag could take back: the old ones have to go.
  const apart = discontinuitySequence > last.discontinuitySequence + 1;
  const unmapped = last.map !== undefined && first?.map === undefined;
  const kept = apart || unmapped ? [] : window.entries.slice(lostUntil(window.entries, step.lost));
  const next = finish(
    {
      ...window,
      epoch: epoch.number,
      numbering: epoch.number,
      source: epoch.source,
      life,
      offset,
      origin: originOf(playlist),
      ended: false,
      behindSince: undefined,
    },
    [...kept, ...appended],
    appended,
    playlist,
    context,
    step,
  );
  const entered: Epoch = { ...epoch, base, seam: epoch.seam ?? seam, shared: false };
  return { change, epoch: raised(entered, appended), window: next, appended };
}

/** Trims the head, and takes over what the newest playlist says as a whole. */
function finish(
  window: MediaWindow,
  entries: readonly Entry[],
  appended: readonly Entry[],
  playlist: MediaPlaylist,
  context: EntryContext,
  step: Step,
): MediaWindow {
  const target = targetDuration(window.targetDuration, appended);
  const listed = new Map(window.listed);
  const key = lifeKey(context.source, context.life);
  listed.delete(key);
  listed.set(key, Math.max(window.listed.get(key) ?? -1, window.origin.last));
  while (listed.size > 32) listed.delete(listed.keys().next().value ?? '');
  const needsVector = window.offset !== 0 && appended.some((entry) => entry.keys.length > 0);
  return {
    ...window,
    entries: trim(entries, playlist, window.numbering, target),
    targetDuration: target,
    version: Math.max(window.version, playlist.version, needsVector ? 2 : 1),
    header: headerLines(playlist),
    tail: tailLines(playlist, context.locate),
    ended: playlist.ended && (step.allowEnd || window.ended),
    grownAt: appended.length > 0 ? step.now : window.grownAt,
    listed,
  };
}

/**
 * Entries that the origin lists no more leave, but never so many that less than the origin's own window or three target
 * durations would remain (RFC 8216, section 6.2.2).
 */
function trim(entries: readonly Entry[], playlist: MediaPlaylist, numbering: number, target: number): readonly Entry[] {
  const atLeast = Math.max(3 * target, durationOf(playlist.segments)) - 0.001;
  let remaining = durationOf(entries);
  let from = 0;
  for (const entry of entries) {
    const stillListed = entry.numbering === numbering && entry.origin.sequence >= playlist.mediaSequence;
    remaining -= entry.duration;
    if (stillListed || remaining < atLeast) break;
    from += 1;
  }
  return from === 0 ? entries : entries.slice(from);
}

/** Index behind the last entry that is lost; never beyond the end. */
function lostUntil(entries: readonly Entry[], lost: (entry: Entry) => boolean): number {
  return entries.findLastIndex((entry) => entry.fetchable && lost(entry)) + 1;
}

function originOf(playlist: MediaPlaylist): MediaWindow['origin'] {
  return { first: playlist.mediaSequence, last: lastSequence(playlist) };
}

/** EXTINF rounds to the nearest integer, and must not exceed the target duration (RFC 8216, section 4.3.3.1). */
function targetDuration(atLeast: number, entries: readonly Entry[]): number {
  return entries.reduce((longest, entry) => Math.max(longest, Math.round(entry.duration)), Math.max(1, atLeast));
}
