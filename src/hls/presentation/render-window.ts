// A window as the text of a playlist. Pure.

import { deliveryLines } from './delivery.js';
import { durationOf, type Entry, type KeyLine, type MediaWindow } from './live-window.js';

/** RFC 8216bis, section 6.2.2: parts leave when they are further from the end, in target durations. */
const partsReach = 3;
const roundingError = 0.001;

/**
 * The window as a playlist; a `queryMark` stands in every URI that leads to this edge.
 *
 * @param skipUntil seconds: with a number, segments further than that from the end are left out as an EXT-X-SKIP (a
 *   delta update, RFC 8216bis section 6.2.5.1).
 */
export function renderWindow(window: MediaWindow, skipUntilSeconds?: number): string {
  const { entries } = window;
  const first = entries[0];
  if (first === undefined) return '';
  const skipped = skipUntilSeconds === undefined ? 0 : skippable(entries, skipUntilSeconds);
  const version = skipped > 0 ? Math.max(window.version, 9) : window.version;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${window.targetDurationSeconds}`,
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
  ];
  const before = first.discontinuitySequence - (first.discontinuity ? 1 : 0);
  if (before > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${before}`);
  lines.push(...deliveryLines(window.delivery));
  if (window.header !== '') lines.push(window.header);
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  for (const { value } of window.dateRanges) lines.push(`#EXT-X-DATERANGE:${value}`);
  const partsFrom = firstWithParts(window);
  const writer = new EntryWriter(lines);
  for (let index = skipped; index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry !== undefined) writer.write(entry, index >= partsFrom);
  }
  if (window.tail !== '') lines.push(window.tail);
  if (window.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/**
 * Writes entries with what holds for them: keys and map where they change, and, as a player may begin to read there,
 * keys, map and time at the first entry and at each discontinuity.
 */
class EntryWriter {
  readonly #lines: string[];
  #begun = false;
  #keys: readonly KeyLine[] = [];
  #map: string | undefined;

  constructor(lines: string[]) {
    this.#lines = lines;
  }

  write(entry: Entry, withParts: boolean): void {
    const again = !this.#begun || entry.discontinuity;
    this.#begun = true;
    if (entry.discontinuity) this.#lines.push('#EXT-X-DISCONTINUITY');
    let said = !again;
    // The keys before a map are those of its bytes (RFC 8216, section 4.3.2.4): they may differ from those of the
    // segment.
    if (entry.map !== undefined && (again || entry.map.line !== this.#map)) {
      this.#setKeys(entry.map.keys, again);
      this.#lines.push(entry.map.line);
      this.#map = entry.map.line;
      said = true;
    }
    this.#setKeys(entry.keys, !said);
    const { dateTime, programDateTime } = entry;
    if (dateTime !== undefined) this.#lines.push(dateTime);
    else if (again && programDateTime !== undefined) this.#lines.push(dateTimeLine(programDateTime));
    if (withParts) for (const part of entry.parts) this.#lines.push(part);
    this.#lines.push(entry.text);
  }

  /** @param always also when they are in force already */
  #setKeys(keys: readonly KeyLine[], always: boolean): void {
    const before = this.#keys;
    if (keys === before && !always) return;
    this.#keys = keys;
    if (!always && isSame(keys, before)) return;
    // A key holds until the next one of its format, or until NONE ends all.
    const ends = before.some(({ format }) => !keys.some((key) => key.format === format));
    if (ends) this.#lines.push('#EXT-X-KEY:METHOD=NONE');
    for (const { line } of keys) this.#lines.push(line);
  }
}

function isSame(keys: readonly KeyLine[], others: readonly KeyLine[]): boolean {
  return keys.length === others.length && keys.every(({ line }, index) => line === others[index]?.line);
}

function dateTimeLine(time: number): string {
  return `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(time)).toISOString()}`;
}

/**
 * The first entry whose parts are told: near enough to the end, and of an origin whose part target the playlist tells.
 * Parts of another origin may be longer.
 */
function firstWithParts({ entries, delivery, numbering, targetDurationSeconds }: MediaWindow): number {
  let from = entries.length;
  if (delivery.partTargetSeconds === undefined) return from;
  let reach = partsReach * targetDurationSeconds + roundingError;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    reach -= entry?.durationSeconds ?? 0;
    if (reach < 0 || entry?.numbering !== numbering) break;
    from = index;
  }
  return from;
}

/** How many segments are further from the end than the skip boundary. */
function skippable(entries: readonly Entry[], skipUntilSeconds: number): number {
  let remaining = durationOf(entries);
  let count = 0;
  for (const entry of entries) {
    remaining -= entry.durationSeconds;
    if (remaining < skipUntilSeconds) break;
    count += 1;
  }
  return count;
}
