import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standing } from '../../../src/balancer/adaptive/standing.js';

const HOLDING = 1500;

/** 25 picks a second from `from` to `until`, in ms, of which this share comes here. */
function picks(standing: Standing, from: number, until: number, share: number): void {
  for (let now = from; now < until; now += 40) standing.add(share, 1000, now, HOLDING);
}

test('what came shortly before a report is in flight for a small part of its interval, and for some of the next one', () => {
  const standing = new Standing();
  picks(standing, 0, 20_000, 0);
  standing.close(20_000, HOLDING);
  picks(standing, 20_000, 23_000, 0);
  picks(standing, 23_000, 24_000, 1);
  standing.close(24_000, HOLDING);
  // In flight at the end: 1 - exp(-1 / 1.5). On average: a part of (1 s - 1.5 s × that) ÷ 4 s.
  const atEnd = 1 - Math.exp(-1 / 1.5);
  assert.ok(Math.abs((standing.end.share ?? 0) - atEnd) < 0.03, `${standing.end.share}`);
  assert.ok(Math.abs((standing.mean.share ?? 0) - (1 - 1.5 * atEnd) / 4) < 0.02, `${standing.mean.share}`);
  picks(standing, 24_000, 28_000, 0);
  standing.close(28_000, HOLDING);
  const left = (1.5 * atEnd * (1 - Math.exp(-4 / 1.5))) / 4;
  assert.ok(Math.abs((standing.mean.share ?? 0) - left) < 0.02, `${standing.mean.share}, ${left}`);
  assert.ok((standing.end.share ?? 1) < 0.05);
});

test('a change is told as a part of the mean of before and after, since the last mark', () => {
  const standing = new Standing();
  picks(standing, 0, 40_000, 0.2);
  standing.close(40_000, HOLDING);
  standing.mark();
  assert.equal(standing.mean.change, 0);
  for (const until of [80_000, 120_000]) {
    picks(standing, until - 40_000, until, 0.6);
    standing.close(until, HOLDING);
  }
  assert.ok(Math.abs(standing.mean.change - 1) < 0.02, `${standing.mean.change}`);
  assert.ok(Math.abs(standing.end.change - 1) < 0.02, `${standing.end.change}`);
});
