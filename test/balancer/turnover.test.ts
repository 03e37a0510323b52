import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turnover } from '../../src/balancer/turnover.js';

test('a pick lasts as long on average as picks were seen to', () => {
  const turnover = new Turnover();
  for (let now = 0; now < 300_000; now += 1000) {
    turnover.start(1200, now);
    turnover.end(1200, now + 250);
  }
  assert.ok(Math.abs(turnover.holdingMs - 250) < 10, `${turnover.holdingMs}`);
});

test('what is in flight on average follows a traffic that ended within half a minute', () => {
  const turnover = new Turnover();
  for (let i = 0; i < 10; i += 1) turnover.start(1000, 0);
  turnover.start(0, 120_000);
  assert.ok(Math.abs(turnover.averageKbps - 10_000) < 1);
  for (let i = 0; i < 10; i += 1) turnover.end(1000, 120_000);
  turnover.start(0, 150_000);
  assert.ok(turnover.averageKbps < 600, `${turnover.averageKbps}`);
});
