// A playlist that costs much to read is read less often. The origin chooses the size, and reading it delays all players of
// the process. Pure.

/** Lines that every playlist may have: more than an hour of 2 s segments. */
const freeLines = 4_000;
/**
 * ms for each further line: some ten times as long as it takes to read. Twelve hours of 2 s segments are read every 2
 * s.
 */
const restMsPerLine = 0.05;

/** ms for which a playlist of so many lines is not read again. */
export function readingRestMs(lines: number): number {
  return restMsPerLine * Math.max(0, lines - freeLines);
}
