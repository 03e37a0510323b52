// Reads the segments of a media playlist line by line: keys, maps, clocks and byte ranges hold from one segment to the next.

import { parseAttributes } from './attributes.js';
import { type ByteRange, find, PlaylistError, type Segment, type Tag } from './playlist.js';
import { decimalOf, integerOf } from './playlist-numbers.js';

/** What is in force while the lines of the segments are read in order. */
export class SegmentScan {
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
