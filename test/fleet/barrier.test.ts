// The barrier, without a server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, waitForAll } from '../../src/fleet/barrier.js';
import { FakeFleet } from '../support/fake-fleet.js';

const folder = '/weir/barriers/a';
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('who waits goes on once all are there, and not before', async () => {
  const fleet = new FakeFleet();
  const [one, two] = [fleet.connect(), fleet.connect()];
  let passed = false;
  const session = fleet.connect();
  const waiting = waitForAll({ session, folder }, ['one', 'two'], new AbortController().signal).then(() => {
    passed = true;
  });
  const leave = await enter({ session: one, folder }, 'one', '');
  await turns();
  assert.equal(passed, false);
  await leave();
  await enter({ session: two, folder }, 'two', '');
  await turns();
  assert.equal(passed, false);
  await enter({ session: one, folder }, 'one', '');
  await waiting;
  assert.deepEqual(session.watched, []);
  await assert.rejects(enter({ session: two, folder }, 'one', ''), { kind: 'exists' });
});

test('one whose session ends is not there any more', async () => {
  const fleet = new FakeFleet();
  const one = fleet.connect();
  await enter({ session: one, folder }, 'one', '');
  one.lose();
  const patience = new AbortController();
  const session = fleet.connect();
  const waiting = waitForAll({ session, folder }, ['one'], patience.signal);
  await turns();
  patience.abort(new Error('too long'));
  await assert.rejects(waiting, /too long/);
  assert.deepEqual(session.watched, []);
});
