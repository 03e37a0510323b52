// The coherence of a channel's HLS across endpoints, as one pure step: what players saw, and what an endpoint lists now, give
// what players see next. Whatever origins do, for players the media sequence never goes back, a number never changes
// its URI, and a change of origin is a discontinuity with the right number.

import type { MediaPlaylist } from '../playlist/model.js';
import type { Locate } from '../url/rewrite.js';
import { nextDateRanges } from './date-ranges.js';
import { deliveryOf } from './delivery.js';
import { continueEntries, type EntryContext, endOf, headerOf, makeEntries, tailOf } from './entries.js';
import { durationOf, type Entry, lifeKey, type MediaWindow, nextListed } from './live-window.js';
import { agreedNumber, type Epoch, lifeOf, raised, reincarnate, type Seam } from './period.js';
import { chooseSeam, firstSequence, indexOfSeam, lastSequence, relate, sharesPackaging } from './splice.js';
import { isUnusual, targetDuration, trim } from './trim.js';

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
  const from = epoch.seam === undefined ? 0 : beginAt(playlist, epoch.seam, step.now);
  const counted = originDiscontinuity(playlist, from);
  const number = agreedNumber(epoch, counted, playlist.segments[from]?.discontinuity ? 1 : 0);
  const appended = makeEntries(playlist.segments.slice(from), context, number);
  const window = finish(
    {
      entries: appended,
      epoch: epoch.number,
      numbering,
      source: epoch.source,
      life,
      offset: 0,
      origin: originOf(playlist),
      targetDuration: playlist.targetDuration,
      version: playlist.version,
      dateRanges: [],
      grownAt: step.now,
      behindSince: undefined,
      listed: new Map([[lifeKey(epoch.source, life), lastSequence(playlist)]]),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd, lagging: false },
  );
  const entered = { ...epoch, base: epoch.base ?? number - counted };
  return { change: 'started', epoch: raised(entered, appended), window, appended };
}

/** Index of the first segment of a rendition that begins when others have gone on at the seam. */
function beginAt(playlist: MediaPlaylist, seam: Seam, now: number): number {
  const { segments } = playlist;
  const index = indexOfSeam(playlist, seam, now) ?? indexAt(playlist, seam.clock);
  return index < segments.length ? index : 0;
}

/** Index of the segment that begins at that time or next to it; 0 where the clock does not tell. */
function indexAt({ segments }: MediaPlaylist, clock: number | undefined): number {
  if (clock === undefined) return 0;
  const index = segments.findIndex(
    ({ programDateTime, duration }) => programDateTime !== undefined && programDateTime >= clock - duration * 500,
  );
  return Math.max(0, index);
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
  const [first] = fresh;
  const missing = first === undefined ? 0 : first.sequence - window.origin.last - 1;
  const last = window.entries.at(-1);
  let from = last?.discontinuitySequence ?? 0;
  if (missing > 0 && epoch.base !== undefined && playlist.discontinuitySequence !== undefined) {
    // What lay in between is not known; the origin says how many discontinuities did. No segment has more than one.
    const told = epoch.base + originDiscontinuity(playlist, 0) - (first?.discontinuity ? 1 : 0);
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
      epoch: epoch.number,
      source: epoch.source,
      life,
      origin,
      grownAt: appended.length > 0 ? step.now : window.grownAt,
      behindSince: undefined,
      listed: nextListed(window.listed, lifeKey(epoch.source, life), origin.last),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd || window.ended, lagging },
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
  const { source } = epoch;
  const gone = lastSequence(playlist) < (window.listed.get(lifeKey(source, life)) ?? -1);
  if (gone && change !== 'restarted') {
    // It was here before and counts from the start again: what it lists now is not what its names stood for.
    return cross(reincarnate(epoch, step.nextLife), window, playlist, step, 'restarted');
  }
  const index = chooseSeam(window, playlist, { source, life, agreed: epoch.seam }, step.now);
  const last = window.entries.at(-1);
  if (index === undefined || last === undefined) {
    return { change: 'waiting', epoch: { ...epoch, shared: false }, window, appended: [] };
  }
  const fresh = playlist.segments.slice(index);
  const seam = firstSequence(playlist) + index;
  const offset = last.sequence + 1 - seam;
  const counted = originDiscontinuity(playlist, index);
  const discontinuitySequence = agreedNumber(epoch, counted, last.discontinuitySequence + 1);
  const base = epoch.base ?? discontinuitySequence - counted;
  const context = { locate: step.locate(life), source, life, numbering: epoch.number, offset };
  const appended = continueEntries(fresh, context, {
    discontinuitySequence: discontinuitySequence - 1,
    crossing: true,
  });
  // A discontinuity that this rendition slept through, or a map that no tag could take back: the old ones have to go. So they
  // do with a target duration that only an origin in error could tell.
  const apart = discontinuitySequence > last.discontinuitySequence + 1;
  const unmapped = last.map !== undefined && fresh[0]?.map === undefined;
  const unusual = isUnusual(window.targetDuration, playlist.targetDuration);
  const kept = apart || unmapped || unusual ? [] : window.entries.slice(lostUntil(window.entries, step.lost));
  const next = finish(
    {
      ...window,
      entries: [...kept, ...appended],
      epoch: epoch.number,
      numbering: epoch.number,
      source,
      life,
      offset,
      origin: originOf(playlist),
      targetDuration: unusual ? playlist.targetDuration : window.targetDuration,
      grownAt: appended.length > 0 ? step.now : window.grownAt,
      behindSince: undefined,
      listed: nextListed(window.listed, lifeKey(source, life), lastSequence(playlist)),
    },
    appended,
    { playlist, context, allowEnd: step.allowEnd, lagging: false },
  );
  const chosen = { sequence: seam, clock: fresh[0]?.programDateTime, behind: durationOf(fresh), at: step.now };
  const entered: Epoch = { ...epoch, base, seam: epoch.seam ?? chosen, shared: false };
  return { change, epoch: raised(entered, appended), window: next, appended };
}

interface Newest {
  readonly playlist: MediaPlaylist;
  readonly context: EntryContext;
  /** Whether an end may be told. */
  readonly allowEnd: boolean;
  /** It lists less than the window does: what follows its last segment is told already. */
  readonly lagging: boolean;
}

type Unfinished = Omit<MediaWindow, 'header' | 'delivery' | 'tail' | 'tailParts' | 'ended'>;

/** Trims the head, and takes over what the newest playlist says as a whole. */
function finish(window: Unfinished, appended: readonly Entry[], newest: Newest): MediaWindow {
  const { playlist, context, allowEnd, lagging } = newest;
  const target = targetDuration(window.targetDuration, appended);
  const entries = trim(window.entries, playlist, window.numbering, target);
  const delivery = deliveryOf(playlist.header, target);
  const period = entries.at(-1)?.discontinuitySequence ?? 0;
  const tail = lagging ? undefined : tailOf(playlist, context, delivery.partTarget !== undefined, period);
  const needsVector = window.offset !== 0 && appended.some((entry) => entry.keys.length > 0);
  return {
    ...window,
    entries,
    targetDuration: target,
    version: Math.max(window.version, playlist.version, needsVector ? 2 : 1),
    header: headerOf(playlist),
    delivery,
    dateRanges: nextDateRanges(window.dateRanges, playlist.dateRanges, entries[0]?.programDateTime),
    tail: tail?.lines ?? '',
    tailParts: tail?.parts ?? 0,
    ended: playlist.ended && allowEnd,
  };
}

/** Index behind the last entry that is lost; never beyond the end. */
function lostUntil(entries: readonly Entry[], lost: (entry: Entry) => boolean): number {
  return entries.findLastIndex((entry) => entry.fetchable && lost(entry)) + 1;
}

function originOf(playlist: MediaPlaylist): MediaWindow['origin'] {
  return { first: playlist.mediaSequence, last: lastSequence(playlist) };
}
