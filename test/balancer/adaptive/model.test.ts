import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityAfter, ownLoad } from '../../../src/balancer/adaptive/model.js';

/** Without evidence, at a load of 0.4 of which five edges would make this part at 200 Mbit/s. */
const suspected = (part: number) => ownLoad(0.4, (part * 0.4 * 200) / 5, 5, 1, 0, 1) / 0.4;

test('without evidence a quarter of the load is nothing that we are the cause of, and all of it is', () => {
  assert.ok(suspected(0.25) < 0.02, `${suspected(0.25)}`);
  assert.ok(suspected(1) > 0.95, `${suspected(1)}`);
});

test('between these there is no cliff', () => {
  for (let part = 0; part < 1.5; part += 0.01) {
    const more = suspected(part + 0.01) - suspected(part);
    assert.ok(more >= 0 && more < 0.05, `${part}: ${more}`);
  }
});

test('a proof counts no further than what we carry can have done', () => {
  assert.ok(ownLoad(0.5, 20, 1, 1, 1, 0) > 0.45);
  assert.ok(ownLoad(0.5, 0.001, 1, 0.001, 1, 0) < 0.005);
  // 10 Mbit/s where servers were seen to carry 1,000 of ours at a load of 1.
  assert.ok(ownLoad(0.5, 10, 1, 1000, 1, 1) <= 0.015 + 1e-9);
});

test('a capacity is learned from what was carried at a load that was told, and forgotten slowly', () => {
  let capacity = 1;
  for (let i = 0; i < 50; i += 1) capacity = capacityAfter(capacity, 50, 0.1);
  assert.ok(Math.abs(capacity - 500) < 10, `${capacity}`);
  for (let i = 0; i < 50; i += 1) capacity = capacityAfter(capacity, 50, 0.5);
  assert.ok(capacity > 350, `${capacity}`);
  for (let i = 0; i < 2000; i += 1) capacity = capacityAfter(capacity, 50, 0.5);
  assert.ok(Math.abs(capacity - 100) < 10, `${capacity}`);
});

test('a capacity is not forgotten while we carry nothing that could tell another', () => {
  let capacity = 500;
  for (let i = 0; i < 2000; i += 1) capacity = capacityAfter(capacity, 0.1, 0.5);
  assert.ok(capacity > 450, `${capacity}`);
});
