// HLS playlists as data: RFC 8216 and draft-pantos-hls-rfc8216bis. Parsing keeps every line, known or not, in its place;
// rendering gives the same lines back. Pure, and bounded in what it accepts: the text comes from a server we do not trust.

import { parseAttributes } from './attributes.js';

/** One line that begins with `#`. A comment has the name `''` and its text, with the leading `#`, as its value. */
export interface Tag {
  readonly name: string;
  /** What follows the colon; undefined when there is none. */
  readonly value: string | undefined;
}

export interface ByteRange {
  readonly length: number;
  /** Always resolved: an offset that the playlist leaves out follows from the segment before. */
  readonly offset: number;
}

export interface Segment {
  /** As written in the playlist: relative or absolute. */
  readonly uri: string;
  readonly sequence: number;
  /** Seconds. */
  readonly duration: number;
  readonly discontinuity: boolean;
  readonly gap: boolean;
  readonly byteRange: ByteRange | undefined;
  /** EXT-X-KEY tags in force; empty when the segment is in the clear. */
  readonly keys: readonly Tag[];
  /** The EXT-X-MAP tag in force. */
  readonly map: Tag | undefined;
  /** Epoch ms of the first sample, written here or counted on from an earlier segment without a discontinuity between. */
  readonly programDateTime: number | undefined;
  /** All tags before the URI, in order, those that are also fields included. */
  readonly tags: readonly Tag[];
}

export interface MediaPlaylist {
  readonly kind: 'media';
  /** Tags of the playlist as a whole, in order. */
  readonly header: readonly Tag[];
  readonly version: number;
  /** Seconds. */
  readonly targetDuration: number;
  /** Number of the first segment, whether it is listed or left out by EXT-X-SKIP. */
  readonly mediaSequence: number;
  /** undefined: the playlist does not say, which RFC 8216 reads as 0. */
  readonly discontinuitySequence: number | undefined;
  /** Segments left out of a delta update. */
  readonly skipped: number;
  readonly ended: boolean;
  readonly segments: readonly Segment[];
  /** Tags after the last segment: parts of the one in the making, preload hints, rendition reports. */
  readonly tail: readonly Tag[];
}

/** One line of a master playlist: a tag, or a URI with the EXT-X-STREAM-INF that it completes. */
export type MasterLine = { readonly tag: Tag } | { readonly uri: string; readonly streamInf: Tag };

export interface MasterPlaylist {
  readonly kind: 'master';
  readonly lines: readonly MasterLine[];
}

export type Playlist = MediaPlaylist | MasterPlaylist;

export interface PlaylistLimits {
  /** UTF-16 units. Default 4 Mi: a day of 2 s segments. */
  readonly length: number;
  /** Default 200,000. */
  readonly lines: number;
}

export const defaultLimits: PlaylistLimits = { length: 4 * 1024 * 1024, lines: 200_000 };

/** The text is not a playlist that can be served: `reason` is a fixed phrase, safe to log and to count. */
export class PlaylistError extends Error {
  override readonly name = 'PlaylistError';
}

const headerTags = new Set([
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
  'EXT-X-DEFINE',
  'EXT-X-ALLOW-CACHE',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-SKIP',
]);
const segmentTags = new Set([
  'EXTINF',
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-KEY',
  'EXT-X-MAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
  'EXT-X-BITRATE',
  'EXT-X-PART',
]);
/** They say how the segments count: after the first one they would contradict what was read. */
const countingTags = new Set(['EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE', 'EXT-X-SKIP']);
const masterTags = new Set([
  'EXT-X-STREAM-INF',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-MEDIA',
  'EXT-X-SESSION-DATA',
  'EXT-X-SESSION-KEY',
  'EXT-X-CONTENT-STEERING',
]);
const longestSegment = 86_400;

/**
 * Reads a master or a media playlist.
 *
 * @throws PlaylistError when it is neither, is empty, exceeds the limits, or contains numbers, control characters or an
 *   order of lines that make its meaning uncertain.
 */
export function parsePlaylist(text: string, limits: PlaylistLimits = defaultLimits): Playlist {
  if (text.length > limits.length) throw new PlaylistError('too long');
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.length > limits.lines) throw new PlaylistError('too many lines');
  if (lines[0]?.trimEnd() !== '#EXTM3U') throw new PlaylistError('does not begin with #EXTM3U');
  const read = lines.map(readLine).filter((line) => line !== undefined);
  const isMaster = read.some((line) => typeof line !== 'string' && masterTags.has(line.name));
  return isMaster ? parseMaster(read) : parseMedia(read);
}

function readLine(line: string): Tag | string | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  if (hasControl(text)) throw new PlaylistError('control character');
  if (!text.startsWith('#')) return text;
  if (!text.startsWith('#EXT')) return { name: '', value: text };
  const colon = text.indexOf(':');
  if (colon === -1) return { name: text.slice(1), value: undefined };
  return { name: text.slice(1, colon), value: text.slice(colon + 1) };
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

function parseMaster(read: readonly (Tag | string)[]): MasterPlaylist {
  const lines: MasterLine[] = [];
  let streamInf: Tag | undefined;
  for (const line of read) {
    if (typeof line === 'string') {
      if (streamInf === undefined) throw new PlaylistError('variant without EXT-X-STREAM-INF');
      lines.push({ uri: line, streamInf });
      streamInf = undefined;
    } else {
      if (line.name === 'EXTINF') throw new PlaylistError('both a master and a media playlist');
      lines.push({ tag: line });
      if (line.name === 'EXT-X-STREAM-INF') streamInf = line;
    }
  }
  if (streamInf !== undefined) throw new PlaylistError('EXT-X-STREAM-INF without a variant');
  return { kind: 'master', lines };
}

/** A tag before the first URI that nobody knows is the first segment's, unless a header tag follows. */
function headerEnd(read: readonly (Tag | string)[]): number {
  let end = 0;
  for (const [index, line] of read.entries()) {
    if (typeof line === 'string') break;
    if (headerTags.has(line.name)) end = index + 1;
  }
  return end;
}

function parseMedia(read: readonly (Tag | string)[]): MediaPlaylist {
  const header: Tag[] = [];
  const segments: Segment[] = [];
  const scan = new SegmentScan();
  const end = headerEnd(read);
  for (const [index, line] of read.entries()) {
    if (typeof line === 'string') {
      if (segments.length === 0) scan.begin(header);
      segments.push(scan.segment(line));
    } else if (headerTags.has(line.name) || (index < end && !segmentTags.has(line.name))) {
      if (segments.length > 0 && countingTags.has(line.name)) throw new PlaylistError('counting tag after a segment');
      header.push(line);
    } else {
      scan.tag(line);
    }
  }
  const target = find(header, 'EXT-X-TARGETDURATION');
  if (target === undefined) throw new PlaylistError('no EXT-X-TARGETDURATION');
  const skip = find(header, 'EXT-X-SKIP');
  const discontinuity = find(header, 'EXT-X-DISCONTINUITY-SEQUENCE');
  const tail = scan.rest();
  return {
    kind: 'media',
    header,
    version: integerOf(find(header, 'EXT-X-VERSION')?.value ?? '1'),
    targetDuration: Math.ceil(decimalOf(target.value)),
    mediaSequence: integerOf(find(header, 'EXT-X-MEDIA-SEQUENCE')?.value ?? '0'),
    discontinuitySequence: discontinuity === undefined ? undefined : integerOf(discontinuity.value),
    skipped: skip === undefined ? 0 : integerOf(parseAttributes(skip.value).get('SKIPPED-SEGMENTS')),
    ended: [...tail, ...segments.flatMap((segment) => segment.tags)].some((tag) => tag.name === 'EXT-X-ENDLIST'),
    segments,
    tail,
  };
}

/** What is in force while the lines of the segments are read in order. */
class SegmentScan {
  #tags: Tag[] = [];
  #sequence = 0;
  #keys: readonly Tag[] = [];
  #map: Tag | undefined;
  #clock: number | undefined;
  #lastRange: { readonly uri: string; readonly end: number } | undefined;

  begin(header: readonly Tag[]): void {
    const skip = find(header, 'EXT-X-SKIP');
    this.#sequence =
      integerOf(find(header, 'EXT-X-MEDIA-SEQUENCE')?.value ?? '0') +
      (skip === undefined ? 0 : integerOf(parseAttributes(skip.value).get('SKIPPED-SEGMENTS')));
  }

  tag(tag: Tag): void {
    this.#tags.push(tag);
    if (tag.name === 'EXT-X-MAP') this.#map = tag;
    else if (tag.name === 'EXT-X-KEY') this.#key(tag);
    else if (tag.name === 'EXT-X-DISCONTINUITY') this.#clock = undefined;
    else if (tag.name === 'EXT-X-PROGRAM-DATE-TIME') {
      const time = Date.parse(tag.value ?? '');
      this.#clock = Number.isFinite(time) ? time : undefined;
    }
  }

  /** Several keys with different KEYFORMATs hold at once; METHOD=NONE ends all of them. */
  #key(tag: Tag): void {
    const attributes = parseAttributes(tag.value);
    if (attributes.get('METHOD') === 'NONE') {
      this.#keys = [];
      return;
    }
    const format = (key: Tag) => parseAttributes(key.value).get('KEYFORMAT') ?? 'identity';
    this.#keys = [...this.#keys.filter((key) => format(key) !== format(tag)), tag];
  }

  segment(uri: string): Segment {
    const tags = this.#tags;
    const info = find(tags, 'EXTINF');
    if (info === undefined) throw new PlaylistError('segment without EXTINF');
    const duration = decimalOf(info.value?.split(',', 1)[0]);
    const range = find(tags, 'EXT-X-BYTERANGE');
    const byteRange = range === undefined ? undefined : this.#range(uri, range);
    const sequence = this.#sequence;
    if (!Number.isSafeInteger(sequence + 1)) throw new PlaylistError('number out of range');
    const programDateTime = this.#clock;
    this.#tags = [];
    this.#sequence += 1;
    if (programDateTime !== undefined) this.#clock = programDateTime + duration * 1000;
    return {
      uri,
      sequence,
      duration,
      discontinuity: find(tags, 'EXT-X-DISCONTINUITY') !== undefined,
      gap: find(tags, 'EXT-X-GAP') !== undefined,
      byteRange,
      keys: this.#keys,
      map: this.#map,
      programDateTime,
      tags,
    };
  }

  #range(uri: string, tag: Tag): ByteRange {
    const [length, offset] = (tag.value ?? '').split('@', 2);
    const before = this.#lastRange?.uri === uri ? this.#lastRange.end : undefined;
    const range = { length: integerOf(length), offset: offset === undefined ? before : integerOf(offset) };
    if (range.offset === undefined) throw new PlaylistError('byte range without an offset');
    this.#lastRange = { uri, end: range.offset + range.length };
    return { length: range.length, offset: range.offset };
  }

  rest(): readonly Tag[] {
    return this.#tags;
  }
}

export function find(tags: readonly Tag[], name: string): Tag | undefined {
  return tags.find((tag) => tag.name === name);
}

function integerOf(text: string | undefined): number {
  if (text === undefined || !/^\s*\d{1,16}\s*$/.test(text)) throw new PlaylistError('malformed number');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new PlaylistError('number out of range');
  return value;
}

function decimalOf(text: string | undefined): number {
  if (text === undefined || !/^\s*\d{1,9}(\.\d*)?\s*$/.test(text)) throw new PlaylistError('malformed duration');
  const value = Number(text);
  if (value > longestSegment) throw new PlaylistError('duration out of range');
  return value;
}

export function renderTag(tag: Tag): string {
  if (tag.name === '') return tag.value ?? '';
  return tag.value === undefined ? `#${tag.name}` : `#${tag.name}:${tag.value}`;
}

/** The lines of a playlist as they were read, but for blank lines, line ends and header tags among segments. */
export function renderPlaylist(playlist: Playlist): string {
  const lines =
    playlist.kind === 'master'
      ? playlist.lines.map((line) => ('tag' in line ? renderTag(line.tag) : line.uri))
      : [
          ...playlist.header.map(renderTag),
          ...playlist.segments.flatMap((segment) => [...segment.tags.map(renderTag), segment.uri]),
          ...playlist.tail.map(renderTag),
        ];
  return `${lines.join('\n')}\n`;
}
