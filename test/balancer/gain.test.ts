import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../bench/balance/random.js';
import { Gain } from '../../src/balancer/gain.js';
import { Turnover } from '../../src/balancer/turnover.js';

/** The gain after `count` reports that follow our shares by `slope`, with noise. */
function learned(slope: number, noise: number, count = 200): number {
  const random = seeded(3);
  const gain = new Gain();
  for (let i = 0; i < count; i += 1) {
    const predicted = random() - 0.5;
    gain.observe(predicted, slope * predicted + noise * (random() - 0.5));
  }
  return gain.upper;
}

test('without a change of our shares there is no evidence', () => {
  const gain = new Gain();
  assert.equal(gain.upper, 0);
  gain.observe(0, 0.7);
  assert.equal(gain.upper, 0);
});

test('the slope is learned, and doubt adds to it', () => {
  assert.ok(Math.abs(learned(0.5, 0) - 0.5) < 1e-9);
  assert.ok(learned(0.5, 0.5) > learned(0.5, 0.1));
  assert.ok(learned(0, 0.1) < 0.1);
});

test('a swing seen half a period late counts as doubt, never as no answer', () => {
  assert.ok(learned(-1, 0) > 0.2);
});

test('what changed is learned anew', () => {
  const gain = new Gain();
  for (let i = 0; i < 100; i += 1) gain.observe(i % 2 ? 0.1 : -0.1, 0);
  for (let i = 0; i < 200; i += 1) gain.observe(i % 2 ? 0.1 : -0.1, i % 2 ? 0.1 : -0.1);
  assert.ok(gain.upper > 0.9);
});

test('holding time is what is in flight over what starts, by bitrate', () => {
  const turnover = new Turnover();
  assert.equal(turnover.holdingMs, 0);
  for (let now = 0; now < 600_000; now += 100) {
    turnover.start(1000, now);
    if (now >= 2000) turnover.end(1000, now);
  }
  assert.ok(Math.abs(turnover.holdingMs - 2000) < 150, String(turnover.holdingMs));
  assert.equal(turnover.inFlightKbps, 20_000);
});

test('ends without a start, and a clock that stands still, harm nothing', () => {
  const turnover = new Turnover();
  turnover.end(5, 0);
  assert.equal(turnover.inFlightKbps, 0);
  turnover.start(5, 0);
  turnover.start(5, 0);
  assert.equal(turnover.holdingMs, 0);
});
