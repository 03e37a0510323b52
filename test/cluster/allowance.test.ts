import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowance } from '../../src/cluster/allowance.js';

for (const [name, fewest, expected] of [
  ['a worker alone takes all', undefined, Number.POSITIVE_INFINITY],
  ['a small lead is left to whoever wakes first', 0, 16],
  ['with few connections the lead is a number', 100, 116],
  ['with many it is a share', 8_000, 9_000],
] as const) {
  test(name, () => assert.equal(allowance(fewest), expected));
}
