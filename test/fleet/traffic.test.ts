import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Traffic } from '../../src/fleet/traffic.js';

test('the rate follows in seconds and does not swing with single segments', () => {
  let bytesPerSecond = 0;
  const traffic = new Traffic(() => ({ workers: 2, viewers: 7, bytesPerSecond }), 0);
  assert.deepEqual(traffic.numbers, { workers: 2, viewers: 7, kbps: 0 });
  const seen: number[] = [];
  for (let second = 1; second <= 120; second++) {
    // A segment every other second.
    bytesPerSecond = second % 2 === 0 ? 2_000_000 : 0;
    traffic.look(second * 1_000);
    if (second > 60) seen.push(traffic.numbers.kbps);
  }
  assert.ok(Math.min(...seen) > 7_000, `${Math.min(...seen)}`);
  assert.ok(Math.max(...seen) < 9_000, `${Math.max(...seen)}`);
});
