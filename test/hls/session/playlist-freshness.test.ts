import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { PlaylistFreshness } from '../../../src/hls/session/playlist-freshness.js';

let now: number;
let freshness: PlaylistFreshness;

beforeEach(() => {
  now = 1_000;
  freshness = new PlaylistFreshness(
    () => now,
    () => 5_000,
  );
});

test('what was never asked for is neither fresh nor our own', () => {
  assert.deepEqual([freshness.isFresh, freshness.isOwn], [false, false]);
});

test('an answer is fresh until its time is over', () => {
  freshness.answered(3_000, 0);
  assert.deepEqual([freshness.isFresh, freshness.isOwn], [true, true]);
  now = 3_000;
  assert.deepEqual([freshness.isFresh, freshness.isOwn], [false, true]);
});

test('a dear one is not read again while it rests, though nobody trusts it', () => {
  freshness.answered(1_000, 2_000);
  freshness.distrust();
  assert.deepEqual([freshness.isFresh, freshness.rests], [true, true]);
  now = 3_000;
  assert.deepEqual([freshness.isFresh, freshness.rests], [false, false]);
});

test('with another endpoint nothing rests', () => {
  freshness.answered(9_000, 2_000);
  freshness.expire();
  assert.deepEqual([freshness.isFresh, freshness.rests, freshness.isOwn], [false, false, false]);
});

test('while endpoints fail the old one stands in for the grace, counted from the first failure', () => {
  freshness.answered(1_000, 0);
  freshness.failed(250);
  assert.deepEqual([freshness.isFresh, freshness.isOwn, freshness.isWithinGrace], [true, false, true]);
  now = 5_999;
  freshness.failed(250);
  assert.equal(freshness.isWithinGrace, true);
  now = 6_000;
  assert.equal(freshness.isWithinGrace, false);
  freshness.answered(9_000, 0);
  assert.deepEqual([freshness.isWithinGrace, freshness.isOwn], [true, true]);
});
