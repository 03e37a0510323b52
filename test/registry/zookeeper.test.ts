import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileDelayMs } from '../../src/registry/zookeeper.js';

test('everything is read again at the interval of the settings, at most once a second, and never when that is 0', () => {
  const middle = () => 0.5;
  assert.equal(reconcileDelayMs(0, middle), undefined);
  assert.equal(reconcileDelayMs(1, middle), 1_000);
  assert.equal(reconcileDelayMs(300_000, middle), 300_000);
  assert.equal(
    reconcileDelayMs(300_000, () => 0),
    270_000,
  );
});
