import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheWarning, judge, workerCount } from '../../src/cluster/watch.js';

const GiB = 1024 ** 3;
const machine = { cores: 4, memory: 10 * GiB };
const auto = { stuckAfter: 5_000, memoryLimit: 'auto' } as const;

for (const [name, worker, settings, expected] of [
  ['a worker that speaks and stays small is left alone', { silentFor: 500, residentBytes: GiB }, auto, undefined],
  ['silence up to the limit is excused', { silentFor: 4_500, residentBytes: GiB }, auto, undefined],
  ['silence for longer is stuck', { silentFor: 5_000, residentBytes: GiB }, auto, 'stuck'],
  ['auto is 80 % of the machine among the workers', { silentFor: 0, residentBytes: 1.9 * GiB }, auto, undefined],
  ['and not more', { silentFor: 0, residentBytes: 2.1 * GiB }, auto, 'memory'],
  [
    'a limit in bytes is for each worker',
    { silentFor: 0, residentBytes: 2 },
    { stuckAfter: 5_000, memoryLimit: 1 },
    'memory',
  ],
  ['stuck comes first: it cannot drain', { silentFor: 9_000, residentBytes: 9 * GiB }, auto, 'stuck'],
] as const) {
  test(name, () => assert.equal(judge(worker, 4, settings, machine), expected));
}

test('a cache that does not fit into what a worker may use is told', () => {
  const small = { cores: 2, memory: 512 * 1024 ** 2 };
  const cacheSize = 256 * 1024 ** 2;
  assert.match(cacheWarning(cacheSize, 2, auto, small) ?? '', /^hls\.cacheSize \(256 MiB\) .* the 204 MiB /);
  assert.equal(cacheWarning(64 * 1024 ** 2, 2, auto, small), undefined);
  assert.equal(cacheWarning(cacheSize, 4, auto, machine), undefined);
  assert.match(cacheWarning(GiB, 4, { ...auto, memoryLimit: GiB }, machine) ?? '', /1024 MiB/);
});

test('auto is a worker for each core, one on one core, and 0 is none', () => {
  assert.equal(workerCount('auto', machine), 4);
  assert.equal(workerCount('auto', { cores: 1, memory: GiB }), 1);
  assert.equal(workerCount(3, machine), 3);
  assert.equal(workerCount(0, machine), 0);
});
