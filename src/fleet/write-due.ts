// Pure: when an edge writes its node anew. A write costs all of ZooKeeper's servers, and a thousand edges have viewers who come and go
// all the time: what matters is told soon, numbers when they changed by a part that shows, and everything else seldom.

import type { EdgeRecord } from './edge-record.js';

/** Between two writes, in ms, for whatever reason. */
export const minIntervalMs = 1_000;
/** Before numbers that changed much are told again, in ms. */
export const numbersIntervalMs = 5_000;
/** Before numbers that changed a little are told again, in ms. */
export const smallIntervalMs = 60_000;

/** Part by which a number has to differ from the one told to count as much; the amount that it has to differ by besides. */
const share = 0.2;
const least = { viewers: 10, kbps: 1_000 } as const;

/** What was written last. */
export interface Told {
  readonly record: EdgeRecord;
  /** Monotonic ms. */
  readonly at: number;
}

/** In how many ms `record` is to be written; 0: now; undefined: it says what was told. */
export function writeDueMs(told: Told | undefined, record: EdgeRecord, now: number): number | undefined {
  if (told === undefined) return 0;
  const interval = intervalMs(told.record, record);
  return interval === undefined ? undefined : Math.max(0, told.at + interval - now);
}

function intervalMs(before: EdgeRecord, record: EdgeRecord): number | undefined {
  if (factsOf(before) !== factsOf(record)) return minIntervalMs;
  const numbers = ['viewers', 'kbps'] as const;
  if (numbers.some((name) => isMuch(before[name], record[name], least[name]))) return numbersIntervalMs;
  return numbers.some((name) => before[name] !== record[name]) ? smallIntervalMs : undefined;
}

/** All but the numbers that move by themselves. */
function factsOf({ viewers: _viewers, kbps: _kbps, ...facts }: EdgeRecord): string {
  return JSON.stringify(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isMuch(before: number, now: number, atLeast: number): boolean {
  const change = Math.abs(now - before);
  return change >= atLeast && change >= share * before;
}
