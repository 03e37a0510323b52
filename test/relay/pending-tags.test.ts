// When the next batch is due, on a clock that the test turns.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTag } from '../../src/relay/flv/tag.js';
import { PendingTags } from '../../src/relay/pending-tags.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { TurnedClock } from '../support/turned-clock.js';

const cleanups = cleanupsAfterEach();
const tag = readTag(9, 0, Buffer.from([0x27, 1, 0, 0, 0]));

function pending(mergeWindowMs: number) {
  const clock = new TurnedClock();
  cleanups.push(() => clock.restore());
  clock.turn(10_000);
  const due: number[] = [];
  const tags: PendingTags = new PendingTags(
    mergeWindowMs,
    () => clock.now,
    () => {
      due.push(clock.now - 10_000);
      tags.take();
    },
  );
  const add = (bytes = 5) => {
    if (tag !== undefined) tags.push(tag);
    const hasRoom = tags.received(bytes);
    tags.schedule(false);
    return hasRoom;
  };
  return { clock, due, tags, add };
}

test('batches follow each other at the distance of the merge window, however often something comes', () => {
  const { clock, due, add } = pending(100);
  for (let passed = 0; passed < 450; passed += 20) {
    add();
    clock.turn(20);
  }
  assert.deepEqual(due, [0, 100, 200, 300, 400]);
});

test('nothing is due while nothing waits, and what comes then does not wait', () => {
  const { clock, due, add, tags } = pending(100);
  add();
  clock.turn(1_000);
  tags.schedule(true);
  assert.deepEqual(due, [0]);
  add();
  assert.deepEqual(due, [0, 1_000]);
});

test('with a window of 0, and when it is asked for, all is due at once', () => {
  const { due, add, clock } = pending(0);
  add();
  add();
  assert.deepEqual(due, [0, 0]);
  clock.restore();
  const { due: asked, add: first, tags } = pending(1_000);
  first();
  if (tag !== undefined) tags.push(tag);
  tags.schedule(true);
  assert.deepEqual(asked, [0, 0]);
});

test('whoever brings more than 4 MiB has to pause, and a long window is cut short for it', () => {
  const { clock, due, add } = pending(10_000);
  add();
  clock.turn(50);
  assert.equal(add(4 << 20), false);
  assert.deepEqual(due, [0]);
  clock.turn(50);
  assert.deepEqual(due, [0, 100]);
  assert.equal(add(), true);
});

test('bytes of which nothing was kept take no room', () => {
  const { tags } = pending(100);
  assert.equal(tags.received(8 << 20), true);
  assert.equal(tags.isEmpty, true);
});

test('nothing is due after it was closed', () => {
  const { clock, due, add, tags } = pending(100);
  add();
  add();
  tags.close();
  clock.turn(1_000);
  assert.deepEqual([due, clock.pending], [[0], 0]);
});
