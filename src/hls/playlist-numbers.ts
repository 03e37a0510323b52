// The numbers of a playlist, refused where they are malformed or out of range.

import { PlaylistError } from './playlist.js';

/** Seconds. */
const longestSegment = 86_400;

export function integerOf(text: string | undefined): number {
  if (text === undefined || !/^\s*\d{1,16}\s*$/.test(text)) throw new PlaylistError('malformed number');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new PlaylistError('number out of range');
  return value;
}

export function decimalOf(text: string | undefined): number {
  if (text === undefined || !/^\s*\d{1,9}(\.\d*)?\s*$/.test(text)) throw new PlaylistError('malformed duration');
  const value = Number(text);
  if (value > longestSegment) throw new PlaylistError('duration out of range');
  return value;
}
