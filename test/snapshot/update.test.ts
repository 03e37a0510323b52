import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from '../../src/model.js';
import {
  apply,
  changesMembers,
  diff,
  emptySnapshot,
  endpointsById,
  type RegistrySnapshot,
  refOf,
} from '../../src/snapshot/update.js';
import { endpoint } from '../support/data-plane.js';

function full(endpoints: readonly Endpoint[], revision = 1): RegistrySnapshot {
  const next = apply(emptySnapshot, { kind: 'full', revision, state: 'live', endpoints });
  assert.ok(next);
  return next.snapshot;
}

test('a delta on another revision is a gap and changes nothing', () => {
  const snapshot = full([endpoint('a', '10.0.0.1:1')], 7);
  const delta = { kind: 'delta', base: 6, revision: 8, state: 'live', put: [], drop: [] } as const;
  assert.equal(apply(snapshot, delta), undefined);
  assert.equal(snapshot.revision, 7);
});

test('a delta leaves the snapshot it was applied to as it was', () => {
  const one = endpoint('a', '10.0.0.1:1');
  const snapshot = full([one]);
  const next = apply(snapshot, { kind: 'delta', base: 1, revision: 2, state: 'live', put: [], drop: [refOf(one)] });
  assert.equal(next?.snapshot.channels.size, 0);
  assert.equal(snapshot.channels.size, 1);
});

test('a full update on a known snapshot tells the difference', () => {
  const stays = endpoint('a', '10.0.0.1:1');
  const goes = endpoint('a', '10.0.0.2:1');
  const comes = endpoint('b', '10.0.0.3:1');
  const snapshot = full([stays, goes]);
  const next = apply(snapshot, { kind: 'full', revision: 9, state: 'live', endpoints: [stays, comes] });
  assert.deepEqual(next?.change, { put: [comes], drop: [goes] });
});

test('an endpoint whose address changed in place is among those put, and its old self among those dropped', () => {
  const before = endpoint('a', '10.0.0.1:1');
  const after = { ...before, version: 2, address: endpoint('a', '10.0.0.2:1').address };
  const other = endpoint('a', '10.0.0.3:1');
  const change = { put: [after], drop: [before] };
  const delta = { kind: 'delta', base: 1, revision: 2, state: 'live', put: [after], drop: [] } as const;
  const whole = { kind: 'full', revision: 2, state: 'live', endpoints: [after, other] } as const;
  for (const update of [delta, whole]) {
    const next = apply(full([before, other]), update);
    assert.deepEqual(next?.change, change);
    assert.deepEqual(next?.snapshot.channels.get(after.channel)?.endpoints, [after, other]);
  }
});

const anEndpoint = fc
  .record({
    channel: fc.constantFrom('a', 'b', 'c'),
    n: fc.integer({ min: 1, max: 9 }),
    load: fc.constantFrom(0.1, 0.5),
  })
  .map(({ channel, n, load }) => endpoint(channel, `10.0.0.${n}:80`, { load }));
const someEndpoints = fc.uniqueArray(anEndpoint, { selector: (one) => one.id });

test('the difference between two sets, applied to the first, gives the second', () => {
  fc.assert(
    fc.property(someEndpoints, someEndpoints, (before, after) => {
      const from = full(before);
      const target = new Map(after.map((one) => [one.id, one]));
      const { put, drop } = diff(endpointsById(from), target);
      const update = { kind: 'delta', base: 1, revision: 2, state: 'live', put, drop: drop.map(refOf) } as const;
      const next = apply(from, update);
      assert.ok(next);
      const sorted = (all: Iterable<Endpoint>) => [...all].sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(sorted(endpointsById(next.snapshot).values()), sorted(after));
    }),
  );
});

test('reports are no change of who is registered; endpoints that come, go, move or become last resorts are', () => {
  const one = endpoint('a', '10.0.0.1:1');
  const snapshot = full([one]);
  const changed = (put: readonly Endpoint[], drop: readonly Endpoint[] = []) =>
    changesMembers(snapshot, { kind: 'delta', base: 1, revision: 2, state: 'live', put, drop });
  assert.equal(changed([{ ...one, version: 2, load: 0.9 }]), false);
  assert.equal(changed([]), false);
  assert.equal(changed([], [one]), true);
  assert.equal(changed([endpoint('a', '10.0.0.2:1')]), true);
  assert.equal(changed([{ ...one, address: endpoint('a', '10.0.0.2:1').address }]), true);
  assert.equal(changed([{ ...one, lastResort: true }]), true);
  assert.equal(changesMembers(snapshot, { kind: 'full', revision: 2, state: 'live', endpoints: [one] }), true);
});
