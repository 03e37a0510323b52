// The last part of a step: a window with new entries gets its length, and what the newest playlist says as a whole. Pure.

import type { MediaPlaylist } from '../playlist/model.js';
import { nextDateRanges } from './date-ranges.js';
import { deliveryOf } from './delivery.js';
import { type EntryContext, headerOf, tailOf } from './entries.js';
import type { Entry, MediaWindow } from './live-window.js';
import { lastSequence } from './splice.js';
import { targetDurationSeconds, trim } from './trim.js';

/** What the newest playlist brings. */
export interface Newest {
  readonly playlist: MediaPlaylist;
  readonly context: EntryContext;
  /** Whether an end may be told. */
  readonly allowEnd: boolean;
  /** It lists less than the window does: what follows its last segment is told already. */
  readonly lagging: boolean;
}

/** A window without what `finish` takes from the newest playlist. */
export type Unfinished = Omit<MediaWindow, 'header' | 'delivery' | 'tail' | 'tailParts' | 'ended'>;

/**
 * Trims the head, and takes over what the newest playlist says as a whole.
 *
 * @param appended the entries at its end that the newest playlist brought
 */
export function finish(window: Unfinished, appended: readonly Entry[], newest: Newest): MediaWindow {
  const { playlist, context, allowEnd, lagging } = newest;
  const target = targetDurationSeconds(window.targetDurationSeconds, appended);
  const entries = trim(window.entries, playlist, window.numbering, target);
  const delivery = deliveryOf(playlist.header, target);
  const lastDiscontinuity = entries.at(-1)?.discontinuitySequence ?? 0;
  const tail = lagging
    ? undefined
    : tailOf(playlist, context, delivery.partTargetSeconds !== undefined, lastDiscontinuity);
  const needsVector = window.offset !== 0 && appended.some((entry) => entry.keys.length > 0);
  return {
    ...window,
    entries,
    targetDurationSeconds: target,
    version: Math.max(window.version, playlist.version, needsVector ? 2 : 1),
    header: headerOf(playlist),
    delivery,
    dateRanges: nextDateRanges(window.dateRanges, playlist.dateRanges, entries[0]?.programDateTime),
    tail: tail?.lines ?? '',
    tailParts: tail?.parts ?? 0,
    ended: playlist.ended && allowEnd,
  };
}

/** The numbers that the playlist lists: first and last. */
export function originOf(playlist: MediaPlaylist): MediaWindow['origin'] {
  return { first: playlist.mediaSequence, last: lastSequence(playlist) };
}
