// The lock, without a server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acquireLock, type Lock, type LockOptions } from '../../src/fleet/lock.js';
import { FakeFleet, type FakeFleetSession } from '../support/fake-fleet.js';

const folder = '/weir/locks/a';
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Wants the lock; `held` is there once it was granted. */
function want(session: FakeFleetSession, more: Partial<LockOptions> = {}) {
  const wanted: { held?: Lock; error?: unknown } = {};
  acquireLock({ session, folder, data: 'me', ...more }).then(
    (lock) => {
      wanted.held = lock;
    },
    (error: unknown) => {
      wanted.error = error;
    },
  );
  return wanted;
}

const has = ({ held }: { held?: Lock }) => held?.isHeld() ?? false;

test('one has the lock, the next gets it when it is released, and tokens grow', async () => {
  const fleet = new FakeFleet();
  const first = want(fleet.connect());
  await turns();
  const second = want(fleet.connect());
  await turns();
  assert.equal(has(first), true);
  assert.equal(has(second), false);
  await first.held?.release();
  assert.equal(has(first), false);
  await turns();
  assert.equal(has(second), true);
  assert.ok(BigInt(second.held?.token ?? 0) > BigInt(first.held?.token ?? 0));
});

test('who waits watches the one before it only, and nobody else looks when the first leaves', async () => {
  const fleet = new FakeFleet();
  const sessions = Array.from({ length: 20 }, () => fleet.connect());
  const wanted = [];
  for (const session of sessions) {
    wanted.push(want(session));
    await turns();
  }
  assert.ok(sessions.every(({ watched }) => watched.length <= 2));
  assert.ok(sessions.every(({ watched }) => watched.every((each) => each.startsWith('data '))));
  fleet.reads.length = 0;
  await wanted[0]?.held?.release();
  await turns();
  assert.equal(wanted.filter(({ held }) => held?.isHeld()).length, 1);
  assert.ok(fleet.reads.length <= 8, fleet.reads.join('\n'));
});

test('readers share it, a writer waits for all of them, and a later reader does not pass the writer', async () => {
  const fleet = new FakeFleet();
  const readers = [want(fleet.connect(), { turn: 'shared' }), want(fleet.connect(), { turn: 'shared' })];
  await turns();
  const writer = want(fleet.connect());
  await turns();
  const late = want(fleet.connect(), { turn: 'shared' });
  await turns();
  assert.ok(readers.every(({ held }) => held?.isHeld()));
  assert.deepEqual([has(writer), has(late)], [false, false]);
  await readers[1]?.held?.release();
  await turns();
  assert.equal(has(writer), false);
  await readers[0]?.held?.release();
  await turns();
  assert.equal(has(writer), true);
  assert.equal(has(late), false);
  await writer.held?.release();
  await turns();
  assert.equal(has(late), true);
});

test('a lost session is a lost lock at once, and by the clock before anybody says so', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  const first = want(session);
  await turns();
  const second = want(fleet.connect());
  await turns();
  session.alive = false;
  assert.equal(has(first), false);
  assert.equal(first.held?.lost.aborted, false);
  session.lose();
  assert.equal(first.held?.lost.aborted, true);
  await turns();
  assert.equal(has(first), false);
  assert.equal(has(second), true);
});

test('who loses the session while waiting queues up again at the end', async () => {
  const fleet = new FakeFleet();
  const [a, b, c] = [fleet.connect(), fleet.connect(), fleet.connect()];
  const [first, second] = [want(a), want(b)];
  await turns();
  const third = want(c);
  await turns();
  b.lose();
  await turns();
  await first.held?.release();
  await turns();
  assert.equal(has(second), false);
  assert.equal(has(third), true);
  await third.held?.release();
  await turns();
  assert.equal(has(second), true);
});

test('a place whose making was answered to nobody is found again, not made twice', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  session.losesNextAnswer = true;
  const wanted = want(session);
  await turns();
  session.news.tell({ kind: 'suspended' });
  session.news.tell({ kind: 'connected', fresh: false });
  await turns();
  assert.equal(wanted.held?.isHeld(), true);
  assert.equal(fleet.below(folder).length, 1);
});

test('an operator takes a lock away by removing its node', async () => {
  const fleet = new FakeFleet();
  const wanted = want(fleet.connect());
  await turns();
  fleet.drop(`${folder}/${fleet.below(folder)[0]}`);
  await turns();
  assert.equal(wanted.held?.lost.aborted, true);
  assert.equal(wanted.held?.isHeld(), false);
});

test('who gives up waiting leaves no place behind', async () => {
  const fleet = new FakeFleet();
  const first = want(fleet.connect());
  await turns();
  const patience = new AbortController();
  const second = want(fleet.connect(), { signal: patience.signal });
  await turns();
  patience.abort(new Error('too long'));
  await turns();
  assert.match(String(second.error), /too long/);
  assert.equal(fleet.below(folder).length, 1);
  const never = want(fleet.connect(), { signal: AbortSignal.abort(new Error('never')) });
  await turns();
  assert.match(String(never.error), /never/);
  assert.equal(fleet.below(folder).length, 1);
  await first.held?.release();
});
