// When a session counts as alive.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Liveness } from '../../../src/registry/coordination/liveness.js';

test('a session is alive for two thirds of its timeout from the question that a server answered', () => {
  const liveness = new Liveness(6_000);
  assert.equal(liveness.isAlive(0), false);
  // The answer came at 1,500: what counts is when it was asked.
  liveness.confirmed(1_000, 9_000);
  assert.equal(liveness.isAlive(1_500), true);
  assert.equal(liveness.isAlive(6_999), true);
  assert.equal(liveness.isAlive(7_000), false);
  assert.equal(liveness.leftMs(6_000), 1_000);
});

test('an answer that comes late takes nothing back, and an ended session is not alive', () => {
  const liveness = new Liveness(6_000);
  liveness.confirmed(2_000, 6_000);
  liveness.confirmed(1_000, 6_000);
  assert.equal(liveness.isAlive(5_999), true);
  liveness.end();
  assert.equal(liveness.isAlive(2_001), false);
});
