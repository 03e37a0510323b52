// What players see of one media playlist, whichever origins it comes from. A window only grows at its end and shrinks at
// its head; an entry, once listed, never changes. The rules for live playlists ask no more (RFC 8216, section 6.2.2), so
// entries are made once and kept. Pure.

import type { DateRange } from './date-ranges.js';
import type { DeliveryPromises } from './delivery.js';

/** An EXT-X-KEY line; keys of different formats hold at once. */
export interface KeyLine {
  readonly format: string;
  readonly line: string;
}

/** An EXT-X-MAP line, and the keys of its bytes. */
export interface MapLine {
  readonly line: string;
  readonly keys: readonly KeyLine[];
}

/** One listed segment. */
export interface Entry {
  /** Media sequence number as players see it. */
  readonly sequence: number;
  /** Discontinuity sequence number, the tag of this entry counted. */
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  /** Seconds. */
  readonly durationSeconds: number;
  /** Epoch ms, where the origin says it, here or for an earlier segment. */
  readonly programDateTime: number | undefined;
  /** The EXT-X-PROGRAM-DATE-TIME line, where the origin has one for this very segment. */
  readonly dateTime: string | undefined;
  /** Where a player's request for it goes: path and query. */
  readonly target: string;
  /** Bytes of that resource that are this segment, where it is not the whole. */
  readonly range: string | undefined;
  /** Whether it may be fetched ahead: it is at this edge, and not a gap. */
  readonly fetchable: boolean;
  /** Targets of the initialisation section and the keys, as far as they are at this edge. */
  readonly needs: readonly { readonly target: string; readonly range: string | undefined }[];
  /** Which origin listed it, in which of its incarnations, under which number and name. */
  readonly origin: {
    readonly source: string;
    readonly incarnation: string;
    readonly sequence: number;
    readonly name: string;
  };
  /** Number of the period since which the origin's numbers count as they do for this entry. */
  readonly numbering: number;
  readonly keys: readonly KeyLine[];
  readonly map: MapLine | undefined;
  /** EXT-X-PART lines. */
  readonly parts: readonly string[];
  /** Every other line, its URI last. */
  readonly text: string;
  /** UTF-16 units that are kept for this entry alone. */
  readonly chars: number;
}

export interface MediaWindow {
  /** Never empty; numbered without a hole. */
  readonly entries: readonly Entry[];
  /** The period of its newest entries. */
  readonly period: number;
  /** Number of the period since which `offset` holds: origins that share their packaging share it. */
  readonly numbering: number;
  readonly source: string;
  readonly incarnation: string;
  /** Player's number less origin's number, in this period. */
  readonly offset: number;
  /** What the origin listed last: first number, last number. */
  readonly origin: { readonly first: number; readonly last: number };
  /** Seconds; grows only when a segment is longer, and never shrinks but for `tamedTarget`. */
  readonly targetDurationSeconds: number;
  readonly version: number;
  /** Lines of the newest origin's playlist tags, without those that the window writes itself. */
  readonly header: string;
  readonly delivery: DeliveryPromises;
  readonly dateRanges: readonly DateRange[];
  /** Lines after the last segment: parts, preload hints. */
  readonly tail: string;
  /** Parts among them: those of the segment in the making. */
  readonly tailParts: number;
  readonly ended: boolean;
  /** Monotonic ms at which the last entry was added. */
  readonly grownAt: number;
  /** Monotonic ms since which the origin's playlist is behind what it was, without any other sign of a restart. */
  readonly behindSince: number | undefined;
  /**
   * Highest origin number ever listed, by source and incarnation: nothing is listed twice when an origin comes back.
   */
  readonly listed: ReadonlyMap<string, number>;
}

/** Seconds of all together. */
export function durationOf(entries: readonly { readonly durationSeconds: number }[]): number {
  return entries.reduce((sum, entry) => sum + entry.durationSeconds, 0);
}

/** What an entry needs to be played: its bytes, its initialisation section, its keys. */
export function needsOf(entry: Entry): { readonly target: string; readonly range: string | undefined }[] {
  if (!entry.fetchable) return [];
  return [{ target: entry.target, range: entry.range }, ...entry.needs];
}

/** UTF-16 units that the entries keep. */
export function charsOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.chars, 0);
}

/** Bytes of an entry beside its text, and of a segment, a map or a key being listed. */
const entryOverheadBytes = 450;
const needOverheadBytes = 150;

/**
 * Bytes in memory, about.
 *
 * @param bytesPerChar bytes of a UTF-16 unit of its text
 */
export function windowBytes({ entries, header, tail, dateRanges }: MediaWindow, bytesPerChar: number): number {
  let units = header.length + tail.length + charsOf(entries);
  let rest = dateRanges.length * needOverheadBytes;
  for (const { id, value } of dateRanges) units += id.length + value.length;
  for (const { target, range, needs } of entries) {
    rest += entryOverheadBytes + needOverheadBytes * (1 + needs.length);
    // A range is listed under a name of its own.
    if (range !== undefined) rest += target.length + 2 * range.length;
  }
  return bytesPerChar * units + rest;
}

/** The key of `MediaWindow.listed`. */
export function incarnationKey(source: string, incarnation: string): string {
  return `${source}.${incarnation}`;
}

/** Incarnations of origins whose last number is remembered. */
const maxListed = 32;

/** After the incarnation with that key has listed up to number `last`. */
export function nextListed(before: MediaWindow['listed'], key: string, last: number): MediaWindow['listed'] {
  const listed = new Map(before);
  listed.delete(key);
  listed.set(key, Math.max(before.get(key) ?? -1, last));
  for (const oldest of listed.keys()) {
    if (listed.size <= maxListed) break;
    listed.delete(oldest);
  }
  return listed;
}
