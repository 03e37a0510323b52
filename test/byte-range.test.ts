import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteRange, isByteRange } from '../src/byte-range.js';

const cases: [header: string | undefined, expected: [number, number] | 'unsatisfiable' | undefined][] = [
  [undefined, undefined],
  ['bytes=0-', [0, 100]],
  ['bytes=10-19', [10, 20]],
  ['bytes=10-10', [10, 11]],
  ['bytes=90-500', [90, 100]],
  ['bytes=-10', [90, 100]],
  ['bytes=-500', [0, 100]],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=100-200', 'unsatisfiable'],
  ['bytes=9-3', undefined],
  ['bytes=200-100', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=1-2', undefined],
  ['bytes=-', undefined],
  [`bytes=${'9'.repeat(40)}-`, undefined],
];
for (const [header, expected] of cases) {
  test(`of 100 bytes, ${header ?? 'no Range'} is ${expected ?? 'the whole'}`, () => {
    const range = byteRange(header, 100);
    assert.deepEqual(typeof range === 'object' ? [range.start, range.end] : range, expected);
    assert.equal(header !== undefined && isByteRange(header), expected !== undefined);
  });
}

test('of nothing there is no range', () => {
  assert.equal(byteRange('bytes=0-', 0), 'unsatisfiable');
  assert.equal(byteRange('bytes=-5', 0), 'unsatisfiable');
});
