import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Update } from '../../src/model.js';
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
  store.subscribe(() => heard.push('a relay'));
  store.subscribe(() => heard.push('the view'), 'owners');
  store.subscribe(() => heard.push('the balancer'), 'candidates');
  store.subscribe(() => heard.push('a session'), 'streams');
  store.subscribe(() => heard.push('the pools'), 'connections');
  assert.equal(store.accept(full(1)), true);
  assert.deepEqual(heard, ['the pools', 'the balancer', 'the view', 'a relay', 'a session']);
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

test('a gap is told to nobody', () => {
  const store = new SnapshotStore();
  store.subscribe(() => assert.fail('nothing changed'));
  assert.equal(store.accept({ kind: 'delta', base: 4, revision: 5, state: 'live', put: [], drop: [] }), false);
});
