import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepingPolicy, objectTerms } from '../../../src/hls/cache/freshness.js';

const now = Date.UTC(2026, 0, 1);

test('who names an object decides for how long it is kept', () => {
  const settings = { objectMinAge: 2_000, objectMaxAge: 10_000 };
  const forever = Number.POSITIVE_INFINITY;
  assert.deepEqual(objectTerms('listed', settings), { room: 'listed', minFreshMs: 0, maxFreshMs: forever });
  const fromOwner = { room: 'listed', minFreshMs: 10_000, maxFreshMs: 10_000 };
  assert.deepEqual(objectTerms('listed_elsewhere', settings), fromOwner);
  assert.deepEqual(objectTerms('pinned', settings), { room: 'asked', minFreshMs: 2_000, maxFreshMs: 10_000 });
  assert.deepEqual(objectTerms('unpinned', settings), { room: 'asked', minFreshMs: 1_000, maxFreshMs: 1_000 });
  const short = { objectMinAge: 500, objectMaxAge: 100 };
  assert.deepEqual(objectTerms('pinned', short), { room: 'asked', minFreshMs: 100, maxFreshMs: 100 });
});

test('the terms bound how long an answer is fresh, and an error is soon asked for again', () => {
  const limits = { staleIfErrorMs: 5000, errorLifetimeMs: 1000, clock: () => now };
  const terms = { room: 'asked', minFreshMs: 100, maxFreshMs: 2000 } as const;
  const freshForMs = (status: number, cacheControl: string) =>
    keepingPolicy(status, { 'cache-control': cacheControl }, terms, limits).freshForMs;
  assert.equal(freshForMs(200, 'max-age=10'), 2000);
  assert.equal(freshForMs(206, 'max-age=1'), 1000);
  assert.equal(freshForMs(200, 'no-cache'), 100);
  assert.equal(freshForMs(200, 'no-store'), 0);
  assert.equal(freshForMs(404, 'max-age=10'), 1000);
  assert.equal(freshForMs(404, 'no-cache'), 0);
  assert.equal(keepingPolicy(404, {}, terms, limits).staleIfErrorMs, 0);
});
