// Reads the segments of a media playlist line by line: keys, maps, clocks and byte ranges hold from one segment to the
// next.

import { parseAttributes } from './attributes.js';
import type { PlaylistLimits } from './limits.js';
import { find, PlaylistError, type Segment, type SegmentRange, type Tag } from './model.js';
import { clockAt, dateOf, decimalOf, integerOf, maxSequence } from './numbers.js';

/** What is in force while the lines of the segments are read in order. */
export class SegmentScan {
  readonly #limits: PlaylistLimits;
  #tags: Tag[] = [];
  #sequence = 0;
  #keys: readonly Tag[] = [];
  /** Formats of `#keys`, in the same order. */
  #formats: readonly string[] = [];
  #map: Segment['map'];
  #clock: number | undefined;
  /** The clock is of the segment whose tags are being read. */
  #dated = false;
  #lastRange: { readonly uri: string; readonly end: number } | undefined;
  #segments = 0;
  #parts = 0;

  constructor(limits: PlaylistLimits) {
    this.#limits = limits;
  }

  begin(header: readonly Tag[]): void {
    const skip = find(header, 'EXT-X-SKIP');
    this.#sequence =
      integerOf(find(header, 'EXT-X-MEDIA-SEQUENCE')?.value ?? '0', maxSequence) +
      (skip === undefined ? 0 : integerOf(parseAttributes(skip.value).get('SKIPPED-SEGMENTS'), maxSequence));
  }

  tag(tag: Tag): void {
    this.#tags.push(tag);
    if (tag.name === 'EXT-X-MAP') {
      this.#boundCarried(tag);
      this.#map = { tag, keys: this.#keys };
    } else if (tag.name === 'EXT-X-KEY') this.#key(tag);
    else if (tag.name === 'EXT-X-DISCONTINUITY' && !this.#dated) this.#clock = undefined;
    else if (tag.name === 'EXT-X-PROGRAM-DATE-TIME') {
      this.#clock = dateOf(tag.value);
      this.#dated = true;
    } else if (tag.name === 'EXT-X-PART') {
      this.#parts += 1;
      if (this.#parts > this.#limits.parts) throw new PlaylistError('too many parts');
    }
  }

  /** Several keys with different KEYFORMATs hold at once; METHOD=NONE ends all of them. */
  #key(tag: Tag): void {
    this.#boundCarried(tag);
    const attributes = parseAttributes(tag.value);
    if (attributes.get('METHOD') === 'NONE') {
      this.#keys = [];
      this.#formats = [];
      return;
    }
    const format = attributes.get('KEYFORMAT') ?? 'identity';
    const others = (_: unknown, index: number): boolean => this.#formats[index] !== format;
    this.#keys = [...this.#keys.filter(others), tag];
    this.#formats = [...this.#formats.filter(others), format];
    if (this.#keys.length > this.#limits.keys) throw new PlaylistError('too many keys at once');
  }

  #boundCarried(tag: Tag): void {
    if ((tag.value?.length ?? 0) > this.#limits.carriedChars) throw new PlaylistError('key or map too long');
  }

  segment(uri: string): Segment {
    const tags = this.#tags;
    const info = tags.findLast(({ name }) => name === 'EXTINF');
    if (info === undefined) throw new PlaylistError('segment without EXTINF');
    this.#segments += 1;
    if (this.#segments > this.#limits.segments) throw new PlaylistError('too many segments');
    const durationSeconds = decimalOf(info.value?.split(',', 1)[0]);
    const range = find(tags, 'EXT-X-BYTERANGE');
    const byteRange = range === undefined ? undefined : this.#range(uri, range);
    const sequence = this.#sequence;
    if (sequence > maxSequence) throw new PlaylistError('number out of range');
    const programDateTime = this.#clock;
    this.#tags = [];
    this.#dated = false;
    this.#sequence += 1;
    if (programDateTime !== undefined) this.#clock = clockAt(programDateTime + durationSeconds * 1000);
    return {
      uri,
      sequence,
      durationSeconds,
      discontinuity: find(tags, 'EXT-X-DISCONTINUITY') !== undefined,
      gap: find(tags, 'EXT-X-GAP') !== undefined,
      byteRange,
      keys: this.#keys,
      map: this.#map,
      programDateTime,
      tags,
    };
  }

  #range(uri: string, tag: Tag): SegmentRange {
    const [length, offset] = (tag.value ?? '').split('@', 2);
    const before = this.#lastRange?.uri === uri ? this.#lastRange.end : undefined;
    const range = { length: integerOf(length), offset: offset === undefined ? before : integerOf(offset) };
    if (range.offset === undefined) throw new PlaylistError('byte range without an offset');
    const end = range.offset + range.length;
    if (!Number.isSafeInteger(end)) throw new PlaylistError('number out of range');
    this.#lastRange = { uri, end };
    return { length: range.length, offset: range.offset };
  }

  rest(): readonly Tag[] {
    return this.#tags;
  }
}
