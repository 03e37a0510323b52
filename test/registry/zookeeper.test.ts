import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileDelay } from '../../src/registry/zookeeper.js';

test('everything is read again at the interval of the settings, at most once a second, and never when that is 0', () => {
  const middle = () => 0.5;
  assert.equal(reconcileDelay(0, middle), undefined);
  assert.equal(reconcileDelay(1, middle), 1_000);
  assert.equal(reconcileDelay(300_000, middle), 300_000);
  assert.equal(
    reconcileDelay(300_000, () => 0),
    270_000,
  );
});
