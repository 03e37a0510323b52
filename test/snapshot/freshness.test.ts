import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Freshness } from '../../src/snapshot/freshness.js';

test('the age counts from when the picture was last true, be that in another run', () => {
  let now = 1_000_000;
  const freshness = new Freshness(() => now);
  freshness.changed('pending');
  now += 2_000;
  assert.equal(freshness.ageSeconds(), 2);
  freshness.restored(now - 3_600_000);
  freshness.changed('stale');
  assert.equal(freshness.ageSeconds(), 3_600);
  freshness.changed('live');
  now += 5_000;
  assert.equal(freshness.ageSeconds(), 0);
  assert.equal(freshness.knownAt, now);
  freshness.changed('stale');
  now += 5_000;
  assert.equal(freshness.ageSeconds(), 5);
  assert.equal(freshness.knownAt, now - 5_000);
});

test('a file that claims to be of the future is no age below zero', () => {
  const freshness = new Freshness(() => 1_000);
  freshness.restored(9_000);
  assert.equal(freshness.ageSeconds(), 0);
});
