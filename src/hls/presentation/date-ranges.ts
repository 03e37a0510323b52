// Date ranges (EXT-X-DATERANGE: advertisements, programmes, SCTE-35) belong to the playlist and to the clock, not to a
// segment. They are kept apart, by ID, and later attributes of a range are added to it (RFC 8216bis, section 4.4.5.1).
// Pure.

import { mergeAttributes, parseAttributes } from '../playlist/attributes.js';
import type { Tag } from '../playlist/model.js';
import { dateOf } from '../playlist/numbers.js';
import { owned } from './owned-text.js';

export interface DateRange {
  readonly id: string;
  /** The attribute list. */
  readonly value: string;
}

/** Ranges listed at once; the oldest leave. */
export const maxRanges = 256;
/** UTF-16 units of one range; a longer one is not listed. */
export const maxRangeChars = 8 * 1024;
/** UTF-16 units of all; the oldest leave. */
export const maxTextChars = 64 * 1024;

/**
 * The ranges after a playlist: those that it lists, with their earlier attributes, and those that still reach into the
 * window, which must not leave (RFC 8216bis, section 6.2.1).
 *
 * @param head epoch ms of the window's first segment; undefined: what is not listed leaves
 */
export function nextDateRanges(
  before: readonly DateRange[],
  listed: readonly Tag[],
  head: number | undefined,
): readonly DateRange[] {
  if (before.length === 0 && listed.length === 0) return before;
  const known = new Map(before.map(({ id, value }) => [id, value]));
  const present = new Map<string, string>();
  for (const { value: told = '' } of listed.slice(-maxRanges)) {
    const id = parseAttributes(told).get('ID');
    if (id === undefined || told.length > maxRangeChars) continue;
    const earlier = present.get(id) ?? known.get(id);
    present.set(owned(id), earlier === undefined ? owned(told) : added(earlier, told));
  }
  const lasting = before.filter(({ id, value }) => !present.has(id) && head !== undefined && endOf(value) >= head);
  return newest([...lasting, ...[...present].map(([id, value]) => ({ id, value }))]);
}

function added(earlier: string, told: string): string {
  if (earlier === told) return earlier;
  const whole = mergeAttributes(earlier, told);
  return owned(whole.length > maxRangeChars ? told : whole);
}

/** Epoch ms of its end as far as it is known; of its start where nothing else is. */
function endOf(value: string): number {
  const attributes = parseAttributes(value);
  const end = dateOf(attributes.get('END-DATE'));
  if (end !== undefined) return end;
  const start = dateOf(attributes.get('START-DATE')) ?? Number.NEGATIVE_INFINITY;
  const seconds = Number(attributes.get('DURATION') ?? attributes.get('PLANNED-DURATION') ?? 0);
  return Number.isFinite(seconds) ? start + seconds * 1000 : start;
}

function newest(ranges: readonly DateRange[]): readonly DateRange[] {
  let size = 0;
  const from = ranges.findLastIndex(({ id, value }, index) => {
    size += id.length + value.length;
    return size > maxTextChars || ranges.length - index > maxRanges;
  });
  return ranges.slice(from + 1);
}
