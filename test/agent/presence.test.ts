import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../../src/agent/presence.js';
import type { Hook, Stream } from '../../src/agent/stream.js';

const stream = (name: string, publisher?: string): Stream => ({ vhost: '', app: 'live', name, publisher });
const published = (name: string, publisher?: string): Hook => ({ kind: 'published', stream: stream(name, publisher) });
const unpublished = (name: string, publisher?: string): Hook => ({
  kind: 'unpublished',
  stream: stream(name, publisher),
});
const names = (presence: Presence) => presence.streams.map(({ name }) => name);

test('answers alone tell what is there', () => {
  const presence = new Presence(10);
  presence.answered([stream('a'), stream('b')], 0);
  assert.deepEqual(names(presence), ['a', 'b']);
  presence.answered([stream('b')], 1_000);
  assert.deepEqual(names(presence), ['b']);
  presence.clear();
  assert.deepEqual(names(presence), []);
});

test('a stream is there with its hook, though an answer of the same moment does not know it yet', () => {
  const presence = new Presence(10);
  assert.equal(presence.called(published('a'), 5_000), true);
  presence.answered([], 4_000);
  assert.deepEqual(names(presence), ['a']);
  presence.answered([], 5_900);
  assert.deepEqual(names(presence), ['a']);
  presence.answered([], 6_000);
  assert.deepEqual(names(presence), []);
});

test('a stream is gone with its hook, though an answer of the same moment still knows it', () => {
  const presence = new Presence(10);
  presence.answered([stream('a')], 0);
  assert.equal(presence.called(unpublished('a'), 5_000), true);
  presence.answered([stream('a')], 5_500);
  assert.deepEqual(names(presence), []);
  presence.answered([stream('a')], 6_500);
  assert.deepEqual(names(presence), ['a']);
});

test('published again at once, it is there', () => {
  const presence = new Presence(10);
  presence.answered([stream('a')], 0);
  presence.called(unpublished('a'), 5_000);
  presence.called(published('a'), 5_001);
  presence.answered([], 5_100);
  assert.deepEqual(names(presence), ['a']);
});

test('a hook that is sent twice changes something once', () => {
  const presence = new Presence(10);
  assert.equal(presence.called(published('a'), 0), true);
  assert.equal(presence.called(published('a'), 1), false);
  assert.equal(presence.called(unpublished('a'), 2), true);
  assert.equal(presence.called(unpublished('a'), 3), false);
});

test('a second publisher who is refused does not take the stream of the first one along', () => {
  const presence = new Presence(10);
  presence.answered([stream('a', '1')], 0);
  assert.equal(presence.called(published('a', '2'), 5_000), false);
  assert.equal(presence.called(unpublished('a', '2'), 5_010), false);
  assert.deepEqual(names(presence), ['a']);
  assert.equal(presence.called(unpublished('a', '1'), 5_020), true);
});

test('as many streams are held as are allowed, and those that are there stay', () => {
  const presence = new Presence(3);
  presence.answered([stream('x')], 0);
  const flood = Array.from({ length: 100 }, (_, i) => stream(`f${i}`));
  assert.equal(presence.answered([...flood, stream('x')], 1_000), 98);
  assert.deepEqual(names(presence), ['x', 'f0', 'f1']);
  for (let i = 0; i < 100; i++) presence.called(published(`h${i}`), 1_000);
  assert.equal(presence.streams.length, 3);
  for (let i = 0; i < 100; i++) {
    presence.called(unpublished(names(presence)[0] ?? ''), 2_000);
    presence.called(published(`h${i}`), 2_000);
  }
  assert.equal(presence.answered([], 2_100), 0);
  assert.ok(presence.streams.length <= 3);
});
