// Makes entries for players out of an origin's segments: URIs lead to the edge, keys and byte ranges do not depend on
// earlier segments, everything else stays as it was. Pure.

import { WeirError } from '../../errors.js';
import { type MediaPlaylist, renderTag, type Segment } from '../playlist/model.js';
import { clockAt } from '../playlist/numbers.js';
import type { Locate } from '../url/rewrite.js';
import { Carried, leadPart, lengthOf } from './carried.js';
import { deliveryTags } from './delivery.js';
import type { Entry } from './live-window.js';
import { owned } from './owned-text.js';
import { lastSequence, nameOf } from './splice.js';

export interface EntryContext {
  readonly locate: Locate;
  readonly source: string;
  readonly incarnation: string;
  readonly numbering: number;
  readonly offset: number;
}

/** UTF-16 units that the entries of one playlist may come to: URIs for players are longer than those of the origin. */
export const maxEntryChars = 16 * 1024 * 1024;

/** Tags that the window writes where they are needed. */
const windowTags = new Set([
  'EXT-X-DISCONTINUITY',
  'EXT-X-KEY',
  'EXT-X-MAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-PART',
  'EXT-X-DATERANGE',
  'EXT-X-ENDLIST',
  'EXT-X-BYTERANGE',
]);

/** Tags of a header that the window writes itself; whatever else it says is passed on. */
const headerTags = new Set([
  ...deliveryTags,
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  // It would promise that nothing leaves the list, which a switch cannot keep.
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-SKIP',
  'EXT-X-DATERANGE',
  'EXT-X-ENDLIST',
]);

/**
 * Entries of a window that begins with them.
 *
 * @param firstNumber discontinuity sequence number of the first
 * @throws WeirError upstream_bad_response when they come to more text than a playlist may have
 */
export function makeEntries(segments: readonly Segment[], context: EntryContext, firstNumber: number): Entry[] {
  return continueEntries(segments, context, {
    discontinuitySequence: firstNumber - (segments[0]?.discontinuity ? 1 : 0),
  });
}

export interface Preceding {
  /** Discontinuity sequence number. */
  readonly discontinuitySequence: number;
  /** Epoch ms at which the last segment ends, where the time can be counted on from there. */
  readonly end?: number | undefined;
  /** The first entry is behind a discontinuity, whatever its origin says. */
  readonly crossing?: boolean;
}

/** Entries behind what precedes them. @throws WeirError as `makeEntries` does */
export function continueEntries(
  segments: readonly Segment[],
  context: EntryContext,
  { discontinuitySequence: before, end, crossing = false }: Preceding,
): Entry[] {
  const carried = new Carried(context.locate, context.offset);
  let discontinuitySequence = before;
  let clock = end;
  let size = 0;
  return segments.map((segment, index) => {
    const discontinuity = segment.discontinuity || (crossing && index === 0);
    if (discontinuity) discontinuitySequence += 1;
    const programDateTime = segment.programDateTime ?? (discontinuity ? undefined : clock);
    const place = { discontinuity, discontinuitySequence, programDateTime };
    const entry = makeEntry(segment, context, carried, place);
    clock = endOf(entry);
    size += entry.chars;
    if (size > maxEntryChars) throw new WeirError('upstream_bad_response', { detail: 'The playlist is too long.' });
    return entry;
  });
}

/** Epoch ms at which it ends; undefined where its origin does not tell the time. */
export function endOf({ programDateTime, durationSeconds }: Entry): number | undefined {
  return programDateTime === undefined ? undefined : clockAt(programDateTime + durationSeconds * 1000);
}

function makeEntry(
  segment: Segment,
  context: EntryContext,
  carried: Carried,
  place: Pick<Entry, 'discontinuity' | 'discontinuitySequence' | 'programDateTime'>,
): Entry {
  const { locate, source, incarnation, numbering, offset } = context;
  const range = segment.byteRange;
  const located = locate(segment.uri, { ranged: range !== undefined, held: false, number: segment.sequence });
  const { keys, map, needs, chars: size } = carried.of(segment, place.discontinuitySequence);
  const lines: string[] = [];
  const parts: string[] = [];
  // Players believe the last one.
  const extinf = segment.tags.findLast(({ name }) => name === 'EXTINF');
  for (const tag of segment.tags) {
    if (tag.name === 'EXTINF' && tag !== extinf) continue;
    if (tag.name === 'EXT-X-PART') parts.push(owned(renderTag(leadPart(tag, locate))));
    else if (!windowTags.has(tag.name)) lines.push(renderTag(tag));
  }
  if (range !== undefined) lines.push(`#EXT-X-BYTERANGE:${range.length}@${range.offset}`);
  lines.push(located === undefined ? segment.uri : located.uri);
  const text = owned(lines.join('\n'));
  const target = owned(located?.target ?? segment.uri);
  const name = owned(nameOf(segment));
  const dateTime = dateTimeOf(segment);
  return {
    sequence: segment.sequence + offset,
    ...place,
    durationSeconds: segment.durationSeconds,
    dateTime,
    target,
    range: range === undefined ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`,
    fetchable: located?.variable === false && !segment.gap,
    needs,
    origin: { source, incarnation, sequence: segment.sequence, name },
    numbering,
    keys,
    map,
    parts,
    text,
    chars: size + text.length + target.length + name.length + (dateTime?.length ?? 0) + lengthOf(parts),
  };
}

/** The time as the origin writes it, with its own precision and zone. */
function dateTimeOf({ tags, programDateTime }: Segment): string | undefined {
  if (programDateTime === undefined) return undefined;
  const tag = tags.findLast(({ name }) => name === 'EXT-X-PROGRAM-DATE-TIME');
  return tag === undefined ? undefined : owned(renderTag(tag));
}

/** The header lines that the window passes on. */
export function headerOf(playlist: MediaPlaylist): string {
  const lines = playlist.header.filter(({ name }) => !headerTags.has(name)).map(renderTag);
  return owned(lines.join('\n'));
}

/** What follows the last segment, for players: the parts and the hints of the segment in the making. */
export interface Tail {
  readonly lines: string;
  readonly parts: number;
}

/**
 * Left out: tags of a segment that is not complete, and rendition reports: their numbers may differ from those that players
 * see, and players do without them.
 */
const untold = new Set(['EXTINF', 'EXT-X-BYTERANGE', 'EXT-X-ENDLIST', 'EXT-X-RENDITION-REPORT', 'EXT-X-DATERANGE']);

/**
 * @param withParts whether the playlist has what parts need to be understood
 * @param before discontinuity sequence number of the last segment
 */
export function tailOf(playlist: MediaPlaylist, context: EntryContext, withParts: boolean, before: number): Tail {
  const crosses = playlist.tail.some(({ name }) => name === 'EXT-X-DISCONTINUITY');
  const carried = new Carried(context.locate, context.offset, crosses ? before + 1 : before);
  const next = lastSequence(playlist) + 1;
  const lines: string[] = [];
  let parts = 0;
  for (const tag of playlist.tail) {
    const { name } = tag;
    if (untold.has(name)) continue;
    if (name === 'EXT-X-KEY' || name === 'EXT-X-MAP') lines.push(carried.line(tag, next));
    else if (name !== 'EXT-X-PART' && name !== 'EXT-X-PRELOAD-HINT') lines.push(renderTag(tag));
    else if (withParts) {
      lines.push(renderTag(leadPart(tag, context.locate)));
      if (name === 'EXT-X-PART') parts += 1;
    }
  }
  return { lines: owned(lines.join('\n')), parts };
}
