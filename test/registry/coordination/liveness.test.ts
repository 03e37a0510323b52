// When a session counts as alive.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Liveness } from '../../../src/registry/coordination/liveness.js';

let now = 0;
let expiries: number[] = [];
let liveness: Liveness;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
  expiries = [];
  liveness = new Liveness({ timeoutMs: 6_000, now: () => now, expired: () => expiries.push(now) });
});
afterEach(() => {
  liveness.end();
  mock.timers.reset();
});

/** Time goes on, for the clock and for the timers. */
function pass(milliseconds: number): void {
  now += milliseconds;
  mock.timers.tick(milliseconds);
}

test('a session is alive for two thirds of its timeout from the question that a server answered', () => {
  assert.equal(liveness.isAlive(), false);
  pass(1_500);
  // What counts is when it was asked, not when the answer came.
  liveness.confirmed(1_000, 9_000);
  assert.equal(liveness.isAlive(), true);
  pass(5_499);
  assert.deepEqual([liveness.isAlive(), liveness.leftMs(), expiries.length], [true, 1, 0]);
  pass(1);
  assert.deepEqual([liveness.isAlive(), expiries.length], [false, 1]);
  pass(60_000);
  assert.equal(expiries.length, 1);
});

test('each further answer makes it longer, and one that comes late takes nothing back', () => {
  for (let i = 0; i < 10; i++) {
    liveness.confirmed(now, 6_000);
    pass(3_000);
  }
  liveness.confirmed(now - 20_000, 6_000);
  assert.deepEqual([liveness.isAlive(), expiries.length], [true, 0]);
  pass(1_000);
  assert.deepEqual([liveness.isAlive(), expiries.length], [false, 1]);
});

test('a process that stood still knows it before any timer has run', () => {
  liveness.confirmed(0, 6_000);
  now = 30_000;
  assert.deepEqual([liveness.isAlive(), expiries.length], [false, 0]);
});

test('a session that has ended is not alive, and does not expire', () => {
  liveness.confirmed(0, 6_000);
  liveness.end();
  assert.equal(liveness.isAlive(), false);
  pass(60_000);
  assert.equal(expiries.length, 0);
});
