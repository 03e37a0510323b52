import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, workerCount } from '../../src/cluster/watch.js';

const GiB = 1024 ** 3;
const machine = { cores: 4, memoryBytes: 10 * GiB };
const settings = { stuckAfter: 5_000, memoryLimit: 2 * GiB };

for (const [name, worker, expected] of [
  ['a worker that speaks and stays small is left alone', { silentForMs: 500, residentBytes: GiB }, undefined],
  ['silence up to the limit is excused', { silentForMs: 4_500, residentBytes: GiB }, undefined],
  ['silence for longer is stuck', { silentForMs: 5_000, residentBytes: GiB }, 'stuck'],
  ['memory up to the limit is left alone', { silentForMs: 0, residentBytes: 2 * GiB }, undefined],
  ['and not more', { silentForMs: 0, residentBytes: 2 * GiB + 1 }, 'memory'],
  ['stuck comes first: it cannot drain', { silentForMs: 9_000, residentBytes: 9 * GiB }, 'stuck'],
] as const) {
  test(name, () => assert.equal(judge(worker, settings), expected));
}

test('auto is a worker for each core, one on one core, and 0 is none', () => {
  assert.equal(workerCount('auto', machine), 4);
  assert.equal(workerCount('auto', { cores: 1, memoryBytes: GiB }), 1);
  assert.equal(workerCount(3, machine), 3);
  assert.equal(workerCount(0, machine), 0);
});
