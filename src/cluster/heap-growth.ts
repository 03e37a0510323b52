// How much garbage V8 may leave uncollected.

import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow to twice what it held after the last full collection, at most. By itself V8 goes up to four times where the
 * machine has room and collecting is slow: what is kept for players would take four times its bound.
 *
 * To be called before there is much in it. A version of V8 that does not know the setting goes on as it would.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
