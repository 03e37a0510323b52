// Makes entries for players out of an origin's segments: URIs led through the edge, keys and byte ranges made to stand on
// their own, everything else as it was. Pure.

import { parseAttributes, setAttribute } from './attributes.js';
import type { Located, LocatedKind } from './locate.js';
import { owned } from './owned-text.js';
import { type MediaPlaylist, renderTag, type Segment, type Tag } from './playlist.js';
import { nameOf } from './seam.js';
import { type Entry, isPassedOn } from './window.js';

/** Where players find a URI of an origin's playlist; undefined: it is not at this endpoint and stays as it is. */
export type Locate = (uri: string, kind: LocatedKind) => Located | undefined;

export interface EntryContext {
  readonly locate: Locate;
  readonly source: string;
  readonly life: string;
  readonly numbering: number;
  readonly offset: number;
}

/** Tags that the window writes where they are needed. */
const windowTags = new Set(['EXT-X-DISCONTINUITY', 'EXT-X-KEY', 'EXT-X-MAP', 'EXT-X-ENDLIST', 'EXT-X-BYTERANGE']);

export function makeEntry(
  segment: Segment,
  context: EntryContext,
  place: { readonly discontinuity: boolean; readonly discontinuitySequence: number },
): Entry {
  const { locate, source, life, numbering, offset } = context;
  const range = segment.byteRange;
  const located = locate(segment.uri, { ranged: range !== undefined, held: false });
  const needs: Entry['needs'][number][] = [];
  const lead = (tag: Tag): Tag => {
    const attributes = parseAttributes(tag.value);
    const uri = attributes.get('URI');
    if (uri === undefined) return tag;
    const wanted = attributes.get('BYTERANGE');
    const target = locate(uri, { ranged: wanted !== undefined, held: false });
    if (target === undefined) return tag;
    needs.push({ target: owned(target.target), range: wanted === undefined ? undefined : rangeOf(wanted) });
    return { name: tag.name, value: setAttribute(tag.value, 'URI', `"${target.uri}"`) };
  };
  const keys = segment.keys.map((key) => renderTag(lead(withVector(key, segment.sequence, offset))));
  const map = segment.map === undefined ? undefined : renderTag(lead(segment.map.tag));
  const lines: string[] = [];
  for (const tag of segment.tags) {
    if (!windowTags.has(tag.name)) lines.push(renderTag(leadPart(tag, locate)));
  }
  if (range !== undefined) lines.push(`#EXT-X-BYTERANGE:${range.length}@${range.offset}`);
  lines.push(located === undefined ? segment.uri : located.uri);
  return {
    sequence: segment.sequence + offset,
    ...place,
    duration: segment.duration,
    programDateTime: segment.programDateTime,
    target: owned(located?.target ?? segment.uri),
    range: range === undefined ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`,
    fetchable: located !== undefined && !segment.gap,
    needs,
    origin: { source, life, sequence: segment.sequence, name: owned(nameOf(segment)) },
    numbering,
    keys: keys.map(owned),
    map: map === undefined ? undefined : owned(map),
    lines: lines.map(owned),
  };
}

/**
 * Entries of a rendition that begins with them.
 *
 * @param firstNumber discontinuity sequence number of the first
 */
export function makeEntries(segments: readonly Segment[], context: EntryContext, firstNumber: number): Entry[] {
  return continueEntries(segments, context, firstNumber - (segments[0]?.discontinuity ? 1 : 0));
}

/** @param before discontinuity sequence number of what precedes */
export function continueEntries(segments: readonly Segment[], context: EntryContext, before: number): Entry[] {
  let discontinuitySequence = before;
  return segments.map((segment) => {
    const { discontinuity } = segment;
    if (discontinuity) discontinuitySequence += 1;
    return makeEntry(segment, context, { discontinuity, discontinuitySequence });
  });
}

/**
 * Without an IV the media sequence number is the initialisation vector (RFC 8216, section 5.2). Where players see another
 * number than the one the origin encrypted with, it has to be said.
 */
function withVector(key: Tag, sequence: number, offset: number): Tag {
  if (offset === 0) return key;
  const attributes = parseAttributes(key.value);
  if (attributes.has('IV') || (attributes.get('KEYFORMAT') ?? 'identity') !== 'identity') return key;
  return { name: key.name, value: setAttribute(key.value, 'IV', `0x${sequence.toString(16).padStart(32, '0')}`) };
}

/** The URI of a part, a preload hint or a rendition report. */
function leadPart(tag: Tag, locate: Locate): Tag {
  if (tag.name !== 'EXT-X-PART' && tag.name !== 'EXT-X-PRELOAD-HINT') return tag;
  const attributes = parseAttributes(tag.value);
  const uri = attributes.get('URI');
  if (uri === undefined) return tag;
  const ranged = attributes.has('BYTERANGE') || attributes.has('BYTERANGE-START');
  const located = locate(uri, { ranged, held: true });
  if (located === undefined) return tag;
  return { name: tag.name, value: setAttribute(tag.value, 'URI', `"${located.uri}"`) };
}

/** `length[@offset]` of an attribute as a Range header. */
function rangeOf(text: string): string {
  const [length, offset = '0'] = text.split('@');
  return `bytes=${offset}-${Number(offset) + Number(length) - 1}`;
}

/** The header lines that the window passes on. */
export function headerLines(playlist: MediaPlaylist): string[] {
  return playlist.header.filter(isPassedOn).map(renderTag);
}

/**
 * The lines after the last segment. Rendition reports are left out: they tell numbers that players may count otherwise,
 * and players do without them.
 */
export function tailLines(playlist: MediaPlaylist, locate: Locate): string[] {
  return playlist.tail
    .filter((tag) => tag.name !== 'EXT-X-ENDLIST' && tag.name !== 'EXT-X-RENDITION-REPORT')
    .map((tag) => renderTag(leadPart(tag, locate)));
}
