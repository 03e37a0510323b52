// Text to playlist. Every line, known or not, keeps its place. Pure, and bounded in what it accepts: the text comes
// from a server we do not trust.

import { parseAttributes } from './attributes.js';
import { type PlaylistLimits, playlistLimits } from './limits.js';
import {
  find,
  type MediaPlaylist,
  type MultivariantLine,
  type MultivariantPlaylist,
  type Playlist,
  PlaylistError,
  type Segment,
  type Tag,
} from './model.js';
import { decimalOf, integerOf, maxDiscontinuity, maxSequence, maxVersion } from './numbers.js';
import { SegmentScan } from './segments.js';

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
const listsPlaylist = new Set(['EXT-X-STREAM-INF', 'EXT-X-I-FRAME-STREAM-INF', 'EXT-X-MEDIA']);

/**
 * Reads a multivariant playlist or a media playlist.
 *
 * @throws PlaylistError when it is neither, is empty, exceeds the limits, or contains numbers, control characters or an
 *   order of lines that make its meaning uncertain.
 */
export function parsePlaylist(text: string, limits: PlaylistLimits = playlistLimits): Playlist {
  if (text.length > limits.textChars) throw new PlaylistError('too long');
  if (control.test(text)) throw new PlaylistError('control character');
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/, limits.lines + 1);
  if (lines.length > limits.lines) throw new PlaylistError('too many lines');
  if (lines[0]?.trimEnd() !== '#EXTM3U') throw new PlaylistError('does not begin with #EXTM3U');
  const read = lines.map((line) => readLine(line, limits)).filter((line) => line !== undefined);
  const isMaster = read.some((line) => typeof line !== 'string' && masterTags.has(line.name));
  return isMaster ? parseMaster(read, limits) : parseMedia(read, limits);
}

function readLine(line: string, limits: PlaylistLimits): Tag | string | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  if (text.length > limits.lineChars) throw new PlaylistError('line too long');
  if (text.includes('\r')) throw new PlaylistError('control character');
  if (!text.startsWith('#')) return text;
  if (!text.startsWith('#EXT')) return { name: '', value: text };
  const colon = text.indexOf(':');
  if (colon === -1) return { name: text.slice(1), value: undefined };
  return { name: text.slice(1, colon), value: text.slice(colon + 1) };
}

/**
 * Control characters besides tabs and line ends (RFC 8216, section 4.1), and the separators U+2028 and U+2029: where a
 * player takes one of them for the end of a line, it would read a tag that nobody here has seen.
 */
const control = /[^\P{Cc}\t\n\r]|[\u2028\u2029]/u;

function parseMaster(read: readonly (Tag | string)[], limits: PlaylistLimits): MultivariantPlaylist {
  const lines: MultivariantLine[] = [];
  let listed = 0;
  let streamInf: Tag | undefined;
  for (const line of read) {
    if (typeof line === 'string') {
      if (streamInf === undefined) throw new PlaylistError('variant without EXT-X-STREAM-INF');
      lines.push({ uri: line, streamInf });
      streamInf = undefined;
    } else {
      if (line.name === 'EXTINF') throw new PlaylistError('both a multivariant and a media playlist');
      if (listsPlaylist.has(line.name)) listed += 1;
      if (listed > limits.variants) throw new PlaylistError('too many variants');
      lines.push({ tag: line });
      if (line.name === 'EXT-X-STREAM-INF') streamInf = line;
    }
  }
  if (streamInf !== undefined) throw new PlaylistError('EXT-X-STREAM-INF without a variant');
  return { kind: 'multivariant', lines };
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

function parseMedia(read: readonly (Tag | string)[], limits: PlaylistLimits): MediaPlaylist {
  const header: Tag[] = [];
  const segments: Segment[] = [];
  const dateRanges: Tag[] = [];
  const scan = new SegmentScan(limits);
  const end = headerEnd(read);
  let ended = false;
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
    if (typeof line === 'string') continue;
    if (line.name === 'EXT-X-DATERANGE') dateRanges.push(line);
    else if (line.name === 'EXT-X-ENDLIST') ended = true;
  }
  const target = find(header, 'EXT-X-TARGETDURATION');
  if (target === undefined) throw new PlaylistError('no EXT-X-TARGETDURATION');
  const skip = find(header, 'EXT-X-SKIP');
  const discontinuity = find(header, 'EXT-X-DISCONTINUITY-SEQUENCE');
  return {
    kind: 'media',
    lines: read.length,
    header,
    version: integerOf(find(header, 'EXT-X-VERSION')?.value ?? '1', maxVersion),
    targetDurationSeconds: Math.ceil(decimalOf(target.value)),
    mediaSequence: integerOf(find(header, 'EXT-X-MEDIA-SEQUENCE')?.value ?? '0', maxSequence),
    discontinuitySequence: discontinuity === undefined ? undefined : integerOf(discontinuity.value, maxDiscontinuity),
    skipped: skip === undefined ? 0 : integerOf(parseAttributes(skip.value).get('SKIPPED-SEGMENTS'), maxSequence),
    ended,
    segments,
    tail: scan.rest(),
    dateRanges,
  };
}
