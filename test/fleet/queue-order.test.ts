// Whose turn it is in a queue.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstAmong, ownAmong, prefixOf, type Turn, verdictOf } from '../../src/fleet/queue-order.js';

const guid = (digit: number) => `${digit}0000000-0000-4000-8000-000000000000`;
const name = (digit: number, turn: Turn, sequence: number) =>
  prefixOf(guid(digit), turn) + String(sequence).padStart(10, '0');

const w1 = name(9, 'exclusive', 1);
const r2 = name(8, 'shared', 2);
const r3 = name(7, 'shared', 3);
const w4 = name(6, 'exclusive', 4);
const r5 = name(5, 'shared', 5);
const r10 = name(4, 'shared', 10);

const cases: { readonly title: string; readonly names: string[]; readonly own: string; readonly before?: string }[] = [
  { title: 'the first has its turn', names: [w4, w1, r2], own: w1 },
  { title: 'the order is that of the sequence, not of the name', names: [w1, w4], own: w4, before: w1 },
  { title: 'exclusive waits for the one before it only', names: [w1, r2, r3, w4], own: w4, before: r3 },
  { title: 'shared waits for the last exclusive before it', names: [w1, r2, r3], own: r3, before: w1 },
  { title: 'those who share have their turn together', names: [r2, r3], own: r3 },
  { title: 'shared does not pass an exclusive that waits', names: [r2, w4, r5], own: r5, before: w4 },
  { title: 'a number of two digits comes after one of one', names: [r10, w4], own: r10, before: w4 },
  { title: 'other names are no places', names: ['a', 'lock-0000000000', '', w4], own: w4 },
];
for (const { title, names, own, before } of cases) {
  test(title, () => {
    assert.deepEqual(verdictOf(names, own), before === undefined ? { kind: 'turn' } : { kind: 'wait', before });
  });
}

test('a place that is not there has no turn', () => {
  assert.deepEqual(verdictOf([w1], r2), { kind: 'gone' });
  assert.deepEqual(verdictOf([], r2), { kind: 'gone' });
});

test('a place is found by its GUID, and the first by the sequence', () => {
  assert.equal(ownAmong([w1, r2, w4], guid(8)), r2);
  assert.equal(ownAmong([w1, w4], guid(8)), undefined);
  assert.equal(firstAmong([w4, r2, 'aaa']), r2);
  assert.equal(firstAmong([]), undefined);
});
