import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShutdownDelay } from '../../src/cluster/shutdown-delay.js';
import { silentLogger } from '../../src/log.js';

test('an edge is about to end from the first moment of its delay on, and the delay passes', async () => {
  const delay = new ShutdownDelay();
  assert.equal(delay.begun, false);
  const passed = delay.pass({ delay: 5, grace: 0 }, silentLogger);
  assert.equal(delay.begun, true);
  await passed;
});

test('an edge that is ended at once does not wait for its delay', async () => {
  const delay = new ShutdownDelay();
  const passed = delay.pass({ delay: 3_600_000, grace: 0 }, silentLogger);
  delay.cut();
  await passed;
});
