import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelName, Update } from '../../src/model.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint } from '../support/data-plane.js';

const full = (revision: number): Update => ({
  kind: 'full',
  revision,
  state: 'live',
  endpoints: [endpoint('news', '127.0.0.1:1000')],
});

test('who picks hears of a snapshot after those who know what can be picked, whoever subscribed first', () => {
  const store = new SnapshotStore();
  const heard: string[] = [];
  store.follow('news' as ChannelName, () => heard.push('a relay'));
  store.follow('sport' as ChannelName, () => heard.push('a relay of another channel'));
  store.subscribe(() => heard.push('the balancer'), 'candidates');
  store.subscribe(() => heard.push('a session'), 'streams');
  store.subscribe(() => heard.push('the pools'), 'connections');
  assert.equal(store.accept(full(1)), true);
  assert.deepEqual(heard, ['the pools', 'the balancer', 'a session', 'a relay']);
});

test('who has left hears nothing more, and the others go on', () => {
  const store = new SnapshotStore();
  const heard: string[] = [];
  const leave = store.subscribe(() => heard.push('one'), 'candidates');
  store.subscribe(() => heard.push('other'), 'candidates');
  leave();
  store.accept(full(1));
  assert.deepEqual(heard, ['other']);
});

test('of a thousand channels that are followed, an update concerns those in it, each once', () => {
  const store = new SnapshotStore();
  let told = 0;
  const leave = Array.from({ length: 1_000 }, (_, i) => store.follow(`c${i}` as ChannelName, () => (told += 1)));
  const [a, b] = [endpoint('c1', '127.0.0.1:1000'), endpoint('c1', '127.0.0.1:2000')];
  store.accept({ kind: 'full', revision: 1, state: 'live', endpoints: [a, b] });
  assert.equal(told, 1);
  store.accept({ kind: 'delta', base: 1, revision: 2, state: 'live', put: [{ ...a, version: 2 }], drop: [b] });
  assert.equal(told, 2);
  for (const each of leave) each();
  store.accept({ kind: 'delta', base: 2, revision: 3, state: 'live', put: [], drop: [a] });
  assert.equal(told, 2);
});

test('a gap is told to nobody', () => {
  const store = new SnapshotStore();
  store.subscribe(() => assert.fail('nothing changed'));
  assert.equal(store.accept({ kind: 'delta', base: 4, revision: 5, state: 'live', put: [], drop: [] }), false);
});
