import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterFailure,
  afterSuccess,
  healthy,
  isEjected,
  isPanic,
  type PassiveHealth,
} from '../../src/balancer/outlier.js';

const settings = { consecutiveFailures: 5, baseEjection: 30_000, maxEjection: 300_000 };

function fail(health: PassiveHealth, times: number, now: number): PassiveHealth {
  let next = health;
  for (let i = 0; i < times; i++) next = afterFailure(next, now, settings);
  return next;
}

test('four failures in a row eject nothing, the fifth ejects for 30 s', () => {
  assert.equal(isEjected(fail(healthy, 4, 0), 0), false);
  const ejected = fail(healthy, 5, 0);
  assert.equal(isEjected(ejected, 29_999), true);
  assert.equal(isEjected(ejected, 30_000), false);
});

test('a success in between starts the count anew', () => {
  const health = afterSuccess(fail(healthy, 4, 0), 0, settings);
  assert.equal(isEjected(fail(health, 4, 0), 0), false);
});

test('failures of requests that were under way do not prolong an ejection', () => {
  const ejected = fail(healthy, 100, 0);
  assert.equal(ejected.timesEjected, 1);
  assert.equal(ejected.ejectedUntil, 30_000);
});

test('the first failure after an ejection ejects again, for longer each time, at most 300 s', () => {
  let health = fail(healthy, 5, 0);
  const lengths: number[] = [health.ejectedUntil];
  for (let i = 0; i < 12; i++) {
    const now = health.ejectedUntil;
    health = afterFailure(health, now, settings);
    lengths.push(health.ejectedUntil - now);
  }
  assert.deepEqual(lengths.slice(0, 4), [30_000, 60_000, 90_000, 120_000]);
  assert.equal(Math.max(...lengths), 300_000);
});

test('past ejections are forgotten after a long time of health', () => {
  const health = fail(healthy, 5, 0);
  assert.equal(afterSuccess(health, 60_000, settings).timesEjected, 1);
  assert.equal(afterSuccess(health, 330_000, settings).timesEjected, 0);
});

test('panic is more than the threshold, not the threshold itself', () => {
  assert.equal(isPanic(1, 2, 0.5), false);
  assert.equal(isPanic(2, 3, 0.5), true);
  assert.equal(isPanic(1, 1, 0.5), true);
  assert.equal(isPanic(0, 0, 0.5), false);
});

test('what another edge found counts for a share of a failure, and is taken back when it is well again', () => {
  const settings = { consecutiveFailures: 2, baseEjection: 100, maxEjection: 1_000 };
  let health = healthy;
  for (const weight of [0.8, 0.8]) health = afterFailure(health, 1_000, settings, weight);
  assert.equal(isEjected(health, 1_000), false);
  health = afterFailure(health, 1_000, settings, -0.8);
  health = afterFailure(health, 1_000, settings, 0.9);
  assert.equal(isEjected(health, 1_000), false);
  health = afterFailure(health, 1_000, settings, 0.5);
  assert.equal(isEjected(health, 1_000), true);
  // Taking back ejects nobody, and below nothing there is nothing.
  const back = afterFailure(health, 5_000, settings, -9);
  assert.deepEqual([back.consecutiveFailures, isEjected(back, 5_000)], [0, false]);
});
