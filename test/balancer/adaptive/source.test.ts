import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Lesson, ReportSource } from '../../../src/balancer/adaptive/source.js';

/** A source whose picks last 100 ms, with a report every 4 s. */
function follow() {
  const source = new ReportSource(0, 0);
  let now = 0;
  /** 4 s of picks with this share, and then a report. */
  return (share: number, load: number): Lesson | undefined => {
    for (let i = 0; i < 40; i += 1) {
      now += 100;
      source.stood(share, 1000, 0.5, 1, now, 100);
    }
    return source.report(load, 0, now, 100);
  };
}

test('a load that follows our share is expected to change as it does', () => {
  const interval = follow();
  for (let i = 0; i < 4; i += 1) interval(0.5, 0.4);
  const { byMean, byEnd } = interval(1, 0.8)?.changes ?? {};
  for (const change of [byMean, byEnd]) {
    assert.ok(change !== undefined);
    assert.ok(Math.abs(change.expected - change.observed) < 0.05, `${change.expected}, ${change.observed}`);
  }
});

test('a server that is full after we left as it was before does not acquit us: what it tells later is held against that', () => {
  const interval = follow();
  for (let i = 0; i < 4; i += 1) interval(0.1, 0.1);
  interval(1, 1);
  assert.equal(interval(0, 1)?.changes, undefined);
  const change = interval(0, 0.05)?.changes?.byMean;
  assert.ok(change !== undefined);
  assert.ok(change.expected < -0.8 && change.observed < -0.8, `${change.expected}, ${change.observed}`);
});
