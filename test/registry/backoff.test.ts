import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffDelay } from '../../src/registry/backoff.js';

test('delays double up to the longest, with jitter of half their length', () => {
  const limits = { baseMs: 100, maxMs: 1_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 1e9].map((attempt) => backoffDelay(attempt, limits, () => 1)),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.deepEqual(
    [0, 1, 4].map((attempt) => backoffDelay(attempt, limits, () => 0)),
    [50, 100, 500],
  );
});
