import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drift } from '../../src/demo/drift.js';

const seconds = Array.from({ length: 1200 }, (_, i) => i);
const score = (second: number, seed: number) => {
  const { load, packetLoss } = drift(second, seed);
  return load + 10 * packetLoss;
};

test('load and loss are fractions, at any time', () => {
  for (const second of [...seconds, -5, 1.8e9, 1.8e9 + 0.5]) {
    const { load, packetLoss } = drift(second, 7);
    assert.ok(load >= 0.1 && load <= 0.9, `load ${load}`);
    assert.ok(packetLoss >= 0 && packetLoss <= 0.04, `loss ${packetLoss}`);
  }
});

test('the same time and seed give the same report, another seed another one', () => {
  assert.deepEqual(drift(100.25, 1), drift(100.25, 1));
  assert.notDeepEqual(drift(100.25, 1), drift(100.25, 20));
});

test('a second moves the load a little, a minute moves it a lot', () => {
  const loads = seconds.map((second) => drift(second, 1).load);
  const steps = loads.slice(1).map((load, i) => Math.abs(load - (loads[i] ?? 0)));
  assert.ok(Math.max(...steps) < 0.1, `${Math.max(...steps)}`);
  for (let from = 0; from < loads.length; from += 120) {
    const part = loads.slice(from, from + 120);
    assert.ok(Math.max(...part) - Math.min(...part) > 0.15, `from ${from} s`);
  }
});

test('packets are lost at times, not always', () => {
  const lossy = seconds.filter((second) => drift(second, 1).packetLoss > 0.001).length;
  assert.ok(lossy > 60 && lossy < 900, `${lossy} of ${seconds.length} s`);
});

test('of three origins each is the best one at times, and none for long', () => {
  const best = seconds.map((second) => [10, 20, 30].sort((a, b) => score(second, a) - score(second, b))[0]);
  const changes = best.filter((seed, i) => i > 0 && seed !== best[i - 1]).length;
  assert.equal(new Set(best).size, 3);
  assert.ok(changes >= 20 && changes <= 200, `${changes} changes in 20 minutes`);
});
