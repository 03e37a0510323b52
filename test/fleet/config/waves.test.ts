import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxNamed } from '../../../src/fleet/config/candidate.js';
import { wavesOf } from '../../../src/fleet/config/waves.js';

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

test('one edge is the canary, then edges come in twice as many at a time, each once and in order', () => {
  const sizes = (count: number) => wavesOf(numbers(count)).map((wave) => wave.length);
  assert.deepEqual(sizes(0), []);
  assert.deepEqual(sizes(1), [1]);
  assert.deepEqual(sizes(3), [1, 2]);
  assert.deepEqual(sizes(20), [1, 2, 4, 8, 5]);
  for (const count of [63, 64, 65, 1_000]) assert.deepEqual(wavesOf(numbers(count)).flat(), numbers(count));
});

test('all but the last step name their edges, so they are at most as many as a candidate names', () => {
  for (const count of [64, 65, 1_000]) {
    const named = wavesOf(numbers(count)).slice(0, -1).flat().length;
    assert.ok(named <= maxNamed, String(named));
  }
});
