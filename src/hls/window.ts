// What players see of one media playlist, whichever origins it comes from. A window only ever grows at its end and shrinks
// at its head; an entry, once listed, never changes. That is all that the rules for live playlists ask (RFC 8216, section
// 6.2.2), and it is why entries are made once, with everything that they will ever say, and kept. Pure.

import type { Tag } from './playlist.js';

/** One listed segment. */
export interface Entry {
  /** Media sequence number as players see it. */
  readonly sequence: number;
  /** Discontinuity sequence number, the tag of this entry counted. */
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  /** Seconds. */
  readonly duration: number;
  /** Epoch ms, where the origin says it. */
  readonly programDateTime: number | undefined;
  /** Where a player's request for it goes: path and query. */
  readonly target: string;
  /** Bytes of that resource that are this segment, where it is not the whole. */
  readonly range: string | undefined;
  /** Whether it may be fetched ahead: it is at this edge, and not a gap. */
  readonly fetchable: boolean;
  /** Targets of the initialisation section and the keys, as far as they are at this edge. */
  readonly needs: readonly { readonly target: string; readonly range: string | undefined }[];
  /** Which origin listed it, in which of its lives, under which number and name. */
  readonly origin: { readonly source: string; readonly life: string; readonly sequence: number; readonly name: string };
  /** Epoch in which the origin's numbers began to count as they do for this entry. */
  readonly numbering: number;
  /** EXT-X-KEY lines in force. */
  readonly keys: readonly string[];
  /** The EXT-X-MAP line in force. */
  readonly map: string | undefined;
  /** Every other line, its URI last. */
  readonly lines: readonly string[];
}

export interface MediaWindow {
  /** Never empty; numbered without a hole. */
  readonly entries: readonly Entry[];
  /** The epoch of its newest entries. */
  readonly epoch: number;
  /** Epoch since which `offset` holds: origins that share their packaging share it. */
  readonly numbering: number;
  readonly source: string;
  readonly life: string;
  /** Player's number less origin's number, in this epoch. */
  readonly offset: number;
  /** What the origin listed last: first number, last number. */
  readonly origin: { readonly first: number; readonly last: number };
  /** Seconds; grows only when a segment is longer, and never shrinks. */
  readonly targetDuration: number;
  readonly version: number;
  /** Playlist tags of the newest origin that are not counted here anew. */
  readonly header: readonly string[];
  /** Lines after the last segment: parts, preload hints. */
  readonly tail: readonly string[];
  readonly ended: boolean;
  /** ms at which the last entry was added. */
  readonly grownAt: number;
  /** Since when (ms) the origin's playlist has been behind what it was, without any other sign of a restart. */
  readonly behindSince: number | undefined;
  /** Highest origin number ever listed, by source and life: nothing is listed twice when an origin comes back. */
  readonly listed: ReadonlyMap<string, number>;
}

/** Tags that this file writes itself; whatever else the header says is passed on. */
const countedTags = new Set([
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  // It would promise that nothing leaves the list, which a switch cannot keep.
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-SKIP',
]);

export function durationOf(entries: readonly { readonly duration: number }[]): number {
  return entries.reduce((sum, entry) => sum + entry.duration, 0);
}

/** The key of `MediaWindow.listed`. */
export function lifeKey(source: string, life: string): string {
  return `${source}.${life}`;
}

/**
 * The window as a playlist; a `queryMark` stands in every URI that leads to this edge.
 *
 * @param skipUntil seconds: with a number, segments further than that from the end are left out as an EXT-X-SKIP (a delta
 *   update, RFC 8216bis section 6.2.5.1).
 */
export function renderWindow(window: MediaWindow, skipUntil?: number): string {
  const { entries } = window;
  const first = entries[0];
  if (first === undefined) return '';
  const skipped = skipUntil === undefined ? 0 : skippable(entries, skipUntil);
  const version = skipped > 0 ? Math.max(window.version, 9) : window.version;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${window.targetDuration}`,
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
  ];
  const before = first.discontinuitySequence - (first.discontinuity ? 1 : 0);
  if (before > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${before}`);
  lines.push(...window.header);
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  // What is skipped may have said the keys and the map: they are said again.
  let previous: Entry | undefined;
  for (const entry of skipped > 0 ? entries.slice(skipped) : entries) {
    appendEntry(lines, entry, previous);
    previous = entry;
  }
  lines.push(...window.tail);
  if (window.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** A new epoch says its keys and its map again: a player may begin to read at a discontinuity. */
function appendEntry(lines: string[], entry: Entry, previous: Entry | undefined): void {
  if (entry.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  const keysBefore = previous?.keys ?? [];
  if (entry.keys.length === 0) {
    if (keysBefore.length > 0) lines.push('#EXT-X-KEY:METHOD=NONE');
  } else if (entry.discontinuity || entry.keys.join('\n') !== keysBefore.join('\n')) {
    lines.push(...entry.keys);
  }
  if (entry.map !== undefined && (entry.discontinuity || entry.map !== previous?.map)) lines.push(entry.map);
  for (const line of entry.lines) lines.push(line);
}

/** How many segments are further from the end than the skip boundary. */
function skippable(entries: readonly Entry[], skipUntil: number): number {
  let remaining = durationOf(entries);
  let count = 0;
  for (const entry of entries) {
    remaining -= entry.duration;
    if (remaining < skipUntil) break;
    count += 1;
  }
  return count;
}

/** True for a tag that a window's header passes on. */
export function isPassedOn(tag: Tag): boolean {
  return !countedTags.has(tag.name) && tag.name !== 'EXT-X-ENDLIST';
}

/** The delta-update boundary that the origin offers, in seconds; undefined when it offers none. */
export function canSkipUntil(window: MediaWindow): number | undefined {
  const line = window.header.find((header) => header.startsWith('#EXT-X-SERVER-CONTROL:'));
  const match = line === undefined ? undefined : /CAN-SKIP-UNTIL=(\d+(?:\.\d+)?)/.exec(line);
  return match ? Number(match[1]) : undefined;
}

/** Whether the origin answers `_HLS_msn` when there is something to answer. */
export function canBlock(window: MediaWindow): boolean {
  return window.header.some((header) => /^#EXT-X-SERVER-CONTROL:.*CAN-BLOCK-RELOAD=YES/.test(header));
}
