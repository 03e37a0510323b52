// Keys and initialisation sections hold for the segments that follow. Their lines for players are made once for all these
// segments. Pure.

import { parseAttributes, setAttribute } from '../playlist/attributes.js';
import { renderTag, type Segment, type Tag } from '../playlist/model.js';
import type { Locate } from '../url/rewrite.js';
import type { Entry, KeyLine, MapLine } from './live-window.js';
import { owned } from './owned-text.js';

/** UTF-16 units of all lines. */
export function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}

type Need = Entry['needs'][number];

/** A key or a map with its URI at the edge, made once for all segments that it holds for. */
interface Led {
  readonly line: string;
  readonly need: Need | undefined;
  readonly format: string;
  /** The initialisation vector is the number of the segment. */
  readonly byNumber: boolean;
}

interface Holding {
  readonly keys: readonly KeyLine[];
  readonly map: MapLine | undefined;
  readonly needs: readonly Need[];
  /** UTF-16 units that no segment before has. */
  readonly chars: number;
}

/** What holds from one segment to the next. Its text is shared by all entries it holds for. */
export class Carried {
  readonly #locate: Locate;
  readonly #offset: number;
  readonly #led = new Map<Tag, Led>();
  #segment: Segment | undefined;
  #discontinuity: number | undefined;
  #holding: Holding = { keys: [], map: undefined, needs: [], chars: 0 };

  /**
   * @param offset player's number less origin's number
   * @param discontinuity sequence number of the discontinuity that comes first, where it is not a segment's
   */
  constructor(locate: Locate, offset: number, discontinuity?: number) {
    this.#locate = locate;
    this.#offset = offset;
    this.#discontinuity = discontinuity;
  }

  /** @param discontinuity its sequence number, as players count: a name may mean something else behind the next one */
  of(segment: Segment, discontinuity: number): Holding {
    const before = this.#discontinuity === discontinuity ? this.#segment : undefined;
    if (this.#discontinuity !== discontinuity) this.#led.clear();
    this.#segment = segment;
    this.#discontinuity = discontinuity;
    const sameKeys = before !== undefined && before.keys === segment.keys;
    const sameMap = before !== undefined && before.map === segment.map;
    const byNumber = this.#offset !== 0 && segment.keys.some((key) => this.#lead(key).byNumber);
    if (sameKeys && sameMap && !byNumber) {
      if (this.#holding.chars > 0) this.#holding = { ...this.#holding, chars: 0 };
      return this.#holding;
    }
    const keys = sameKeys && !byNumber ? this.#holding.keys : this.#keys(segment.keys, segment.sequence);
    const map = sameMap && !byNumber ? this.#holding.map : this.#map(segment, keys);
    const tags = segment.map === undefined ? segment.keys : [...segment.keys, ...segment.map.keys, segment.map.tag];
    const needs = sameKeys && sameMap ? this.#holding.needs : this.#needs(new Set(tags));
    const lines = [...keys.map(({ line }) => line), ...(map === undefined ? [] : [map.line])];
    this.#holding = { keys, map, needs, chars: lengthOf(lines) };
    return this.#holding;
  }

  /** One such line alone. @param sequence the origin's number of the segment it stands before */
  line(tag: Tag, sequence: number): string {
    const { line, byNumber } = this.#lead(tag);
    return byNumber ? line + this.#vector(sequence) : line;
  }

  /**
   * @param sequence of the segment they are of; undefined: they are of a map, whose vector is said (RFC 8216, 4.3.2.5)
   */
  #keys(tags: readonly Tag[], sequence: number | undefined): readonly KeyLine[] {
    return tags.map((tag) => {
      const { line, format, byNumber } = this.#lead(tag);
      return { format, line: byNumber && sequence !== undefined ? line + this.#vector(sequence) : line };
    });
  }

  /**
   * Without an IV the media sequence number is the initialisation vector (RFC 8216, section 5.2). Where players see
   * another number than the one the origin encrypted with, it has to be said.
   */
  #vector(sequence: number): string {
    return this.#offset === 0 ? '' : `,IV=0x${sequence.toString(16).padStart(32, '0')}`;
  }

  #map({ map, keys: tags }: Segment, keys: readonly KeyLine[]): MapLine | undefined {
    if (map === undefined) return undefined;
    const same = map.keys.length === tags.length && map.keys.every((tag, index) => tag === tags[index]);
    return { line: this.#lead(map.tag).line, keys: same ? keys : this.#keys(map.keys, undefined) };
  }

  #needs(tags: ReadonlySet<Tag>): readonly Need[] {
    return [...tags].flatMap((tag) => this.#lead(tag).need ?? []);
  }

  #lead(tag: Tag): Led {
    const known = this.#led.get(tag);
    if (known !== undefined) return known;
    const attributes = parseAttributes(tag.value);
    const uri = attributes.get('URI');
    const bytes = attributes.get('BYTERANGE');
    const range = bytes === undefined ? undefined : rangeOf(bytes);
    const kind = { ranged: bytes !== undefined, held: false, discontinuity: this.#discontinuity ?? 0 };
    const target = uri === undefined ? undefined : this.#locate(uri, kind);
    const value = target === undefined ? tag.value : setAttribute(tag.value, 'URI', `"${target.uri}"`);
    const format = attributes.get('KEYFORMAT') ?? 'identity';
    const led: Led = {
      line: owned(renderTag({ name: tag.name, value })),
      need:
        target === undefined || target.variable || range === null ? undefined : { target: owned(target.target), range },
      format: owned(format),
      byNumber:
        tag.name === 'EXT-X-KEY' &&
        attributes.get('METHOD') !== 'NONE' &&
        format === 'identity' &&
        !attributes.has('IV'),
    };
    this.#led.set(tag, led);
    return led;
  }
}

/** The URI of a part, a preload hint or a rendition report. */
export function leadPart(tag: Tag, locate: Locate): Tag {
  const attributes = parseAttributes(tag.value);
  const uri = attributes.get('URI');
  if (uri === undefined) return tag;
  const ranged = attributes.has('BYTERANGE') || attributes.has('BYTERANGE-START');
  const located = locate(uri, { ranged, held: true });
  if (located === undefined) return tag;
  return { name: tag.name, value: setAttribute(tag.value, 'URI', `"${located.uri}"`) };
}

/** `length[@offset]` of an attribute as a Range header; null when it is none. */
function rangeOf(text: string): string | null {
  const match = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text);
  if (match === null || Number(match[1]) === 0) return null;
  const offset = Number(match[2] ?? 0);
  return `bytes=${offset}-${offset + Number(match[1]) - 1}`;
}
