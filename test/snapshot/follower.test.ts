import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint, Update } from '../../src/model.js';
import { pieceTo, SnapshotFollower } from '../../src/snapshot/follower.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpointsById, type RegistrySnapshot } from '../../src/snapshot/update.js';
import { endpoint } from '../support/data-plane.js';

function snapshotOf(revision: number, endpoints: readonly Endpoint[]): RegistrySnapshot {
  const store = new SnapshotStore();
  store.accept({ kind: 'full', revision, state: 'live', endpoints });
  return store.current;
}
const channels = (count: number, load: number) =>
  Array.from({ length: count }, (_, i) => endpoint(`c${i}`, '10.0.0.1:80', { load }));

const anEndpoint = fc
  .record({
    channel: fc.integer({ min: 1, max: 9 }),
    n: fc.integer({ min: 1, max: 9 }),
    load: fc.constantFrom(0.1, 0.5),
  })
  .map(({ channel, n, load }) => endpoint(`c${channel}`, `10.0.0.${n}:80`, { load }));
const someEndpoints = fc.uniqueArray(anEndpoint, { selector: (one) => one.id });

test('pieces of any size lead from any snapshot to any other, and what a reader makes of them is the same', () => {
  fc.assert(
    fc.property(someEndpoints, someEndpoints, fc.integer({ min: 1, max: 20 }), (before, after, most) => {
      const target = snapshotOf(2, after);
      const reader = new SnapshotStore();
      reader.accept({ kind: 'full', revision: 1, state: 'stale', endpoints: before });
      let at = reader.current;
      for (let isLast = false; !isLast; ) {
        const piece = pieceTo(at, target, most);
        ({ reached: at, isLast } = piece);
        assert.ok(reader.accept(piece.update));
        assert.equal(reader.current.revision, isLast ? 2 : 1);
        assert.equal(reader.current.state, isLast ? 'live' : 'stale');
        assert.equal(reader.current.channels.size, at.channels.size);
      }
      assert.equal(at, target);
      assert.deepEqual(endpointsById(reader.current), new Map([...endpointsById(target)]));
    }),
  );
});

test('a report is told alone, however many channels there are', () => {
  const store = new SnapshotStore();
  store.accept({ kind: 'full', revision: 1, state: 'live', endpoints: channels(5_000, 0.1) });
  const before = store.current;
  const report = endpoint('c77', '10.0.0.1:80', { load: 0.9, version: 2 });
  store.accept({ kind: 'delta', base: 1, revision: 2, state: 'live', put: [report], drop: [] });
  const { update } = pieceTo(before, store.current);
  assert.deepEqual(update, { kind: 'delta', base: 1, revision: 2, state: 'live', put: [report], drop: [] });
});

test('what changes while pieces are on their way is in those that follow, and no piece is large', async () => {
  const store = new SnapshotStore();
  const publish = (revision: number, endpoints: readonly Endpoint[]) =>
    store.accept({ kind: 'full', revision, state: 'live', endpoints });
  publish(1, channels(3_000, 0.1));
  const told: Update[] = [];
  const reader = new SnapshotStore();
  let next: (() => void) | undefined;
  const follower = new SnapshotFollower(() => store.current, {
    send: (update, _isLast, taken) => {
      told.push(update);
      assert.ok(reader.accept(update));
      next = taken;
    },
  });
  follower.advance();
  assert.equal(follower.isSettled, false);
  const settled = follower.settled();
  publish(2, channels(2_500, 0.7));
  follower.advance();
  assert.equal(told.length, 1, 'one at a time');
  for (let taken = next; taken !== undefined; taken = next) {
    next = undefined;
    taken();
  }
  await settled;
  assert.equal(follower.isSettled, true);
  assert.equal(reader.current.revision, 2);
  assert.deepEqual(endpointsById(reader.current), endpointsById(store.current));
  const sizes = told.map((update) => (update.kind === 'delta' ? update.put.length + update.drop.length : Infinity));
  assert.ok(Math.max(...sizes) < 500, `${sizes}`);
});

test('who waits for a reader that is gone waits no more', async () => {
  const follower = new SnapshotFollower(() => snapshotOf(1, channels(1, 0)), { send: () => undefined });
  follower.advance();
  const settled = follower.settled();
  follower.close();
  await settled;
});
