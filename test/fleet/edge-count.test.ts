import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone, countDueMs, countEdges, fewerAfterMs } from '../../src/fleet/edge-count.js';

test('more edges are believed at once', () => {
  assert.equal(countEdges(alone, 50, 0).edges, 50);
});

test('fewer are believed only when they have stayed fewer', () => {
  const before = countEdges(alone, 50, 0);
  const seen = countEdges(before, 20, 1_000);
  assert.equal(seen.edges, 50);
  assert.equal(countDueMs(seen, 2_000), fewerAfterMs - 1_000);
  assert.equal(countEdges(seen, 20, fewerAfterMs + 999).edges, 50);
  assert.equal(countEdges(seen, 21, fewerAfterMs + 1_000).edges, 21);
});

test('edges that lose their sessions together and come back change nothing', () => {
  const lost = countEdges(countEdges(alone, 50, 0), 1, 1_000);
  const back = countEdges(lost, 50, 20_000);
  assert.deepEqual(back, { edges: 50, fewerSince: undefined });
  assert.equal(countDueMs(back, 20_000), undefined);
});

test('the number is held while the list cannot be followed, however long', () => {
  const fewer = countEdges(countEdges(alone, 50, 0), 1, 1_000);
  const away = countEdges(fewer, undefined, 2_000);
  assert.deepEqual(away, { edges: 50, fewerSince: undefined });
  assert.equal(countEdges(away, 1, 1_000_000).edges, 50);
});

test('an edge always counts itself, and no list makes the number larger than a setting may be', () => {
  assert.equal(countEdges(alone, 0, 0).edges, 1);
  assert.equal(countEdges(alone, 10_000_000, 0).edges, 100_000);
});
