// The numbers of a playlist. They are refused where they are malformed or out of range: the numbers that players see never
// shrink, so one that is too large would stay after its origin is gone.

import { PlaylistError } from './model.js';

/** Seconds. */
const maxSegmentSeconds = 86_400;
/**
 * As many again may follow before numbers are no longer exact. An origin that counts microseconds of this century fits.
 */
export const maxSequence = 2 ** 52;
/** Players read it into 32 bits, and every switch adds to it. */
export const maxDiscontinuity = 1_000_000_000;
/** The draft of RFC 8216bis is at 13. */
export const maxVersion = 99;
/** Epoch ms of the last date that is written with four digits for its year. */
const maxDateMs = Date.UTC(9999, 11, 31);
const maxDateChars = 64;

/** A whole number. @param max default: the largest that is exact @throws PlaylistError for any other text */
export function integerOf(text: string | undefined, max: number = Number.MAX_SAFE_INTEGER): number {
  if (text === undefined || !/^\s*\d{1,16}\s*$/.test(text)) throw new PlaylistError('malformed number');
  const value = Number(text);
  if (value > max) throw new PlaylistError('number out of range');
  return value;
}

/** Seconds. @throws PlaylistError for what is no decimal number, or longer than a day */
export function decimalOf(text: string | undefined): number {
  if (text === undefined || !/^\s*\d{1,9}(\.\d*)?\s*$/.test(text)) throw new PlaylistError('malformed duration');
  const value = Number(text);
  if (value > maxSegmentSeconds) throw new PlaylistError('duration out of range');
  return value;
}

/** Epoch ms; undefined for what is no date, or none that can be written again. */
export function dateOf(text: string | undefined): number | undefined {
  if (text === undefined || text.length > maxDateChars) return undefined;
  return clockAt(Date.parse(text));
}

/** The time, unless it is none that can be written as a date. @param time epoch ms */
export function clockAt(time: number): number | undefined {
  return time >= 0 && time <= maxDateMs ? time : undefined;
}
