// Whether work grows with its input and not with the square of it, judged by processor time alone: what else runs on the machine
// does not count.

import assert from 'node:assert/strict';

const factor = 16;
/** µs below which a measurement says nothing. */
const floor = 200;

/**
 * Compares a small input with one sixteen times as large: in linear time that is 16 times the work, in quadratic time 256 times.
 *
 * @param make an input of about that many characters
 * @param size characters of the larger input; default 64 Ki
 */
export function assertLinear<T>(make: (size: number) => T, work: (input: T) => void, size = 64 * 1024): void {
  const small = least(make(size / factor), work);
  const large = least(make(size), work);
  const limit = 4 * factor * Math.max(small, floor);
  assert.ok(large < limit, `${size / factor} characters took ${small} µs, ${size} took ${large} µs`);
}

/** µs of processor time, the least of some runs. */
function least<T>(input: T, work: (input: T) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run += 1) {
    const before = process.cpuUsage();
    work(input);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, user + system);
    // One run says enough when it says that this is hopeless.
    if (best > 1_000_000) break;
  }
  return best;
}
