// What holders of a lock or leaders wrote, each with its token and the time, as an observer reads it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

/** Of a file that need not be there: `TOKEN NANOSECONDS` for each act of who holds something. */
export const linesOf = (log: string) => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
/** The fencing tokens in the order in which they appear. */
export const tokensIn = (log: string) => [...new Set(linesOf(log).map((line) => line.split(' ')[0] ?? ''))];

/** By the clock of who reads it, the holders come one after the other, with growing tokens. */
export function assertOneAtATime(log: string): void {
  const spans = new Map<string, { first: bigint; last: bigint }>();
  for (const line of linesOf(log)) {
    const [token = '', time = '0'] = line.split(' ');
    const at = BigInt(time);
    const span = spans.get(token) ?? { first: at, last: at };
    spans.set(token, { first: at < span.first ? at : span.first, last: at > span.last ? at : span.last });
  }
  const inOrder = [...spans].sort(([a], [b]) => Number(BigInt(a) - BigInt(b)));
  for (const [i, [token, { first }]] of inOrder.entries()) {
    const before = inOrder[i - 1];
    if (before !== undefined) assert.ok(before[1].last < first, `${before[0]} and ${token} at the same time`);
  }
}
