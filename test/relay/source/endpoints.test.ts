// The endpoints of one channel as its relay sees them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pick } from '../../../src/balancer/balancer.js';
import type { Outcome } from '../../../src/balancer/policy.js';
import { WeirError } from '../../../src/errors.js';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../../src/model.js';
import { serverOf } from '../../../src/net-address.js';
import { Endpoints, stallTimeoutOf } from '../../../src/relay/source/endpoints.js';
import { SnapshotStore } from '../../../src/snapshot/store.js';
import { endpoint } from '../../support/data-plane.js';

const a = endpoint('news', '10.0.0.1:80');
const b = endpoint('news', '10.0.0.2:80');
const other = endpoint('more', '10.0.0.1:80');
const worker: Endpoint = {
  ...endpoint('news', '10.0.0.9:80', { id: 'w1' as EndpointId }),
  address: 'http://~w1:1' as ServiceAddress,
  peer: 'worker',
};

function known(...registered: Endpoint[]) {
  const store = new SnapshotStore();
  const outcomes: Outcome[] = [];
  let changes = 0;
  const register = (...endpoints: Endpoint[]) => {
    store.accept({ kind: 'full', revision: store.current.revision + 1, state: 'live', endpoints });
  };
  register(...registered);
  const pick = (channel: ChannelName, { exclude = [] }: { exclude?: readonly string[] } = {}): Pick => {
    const found = store.channel(channel)?.endpoints.find(({ address }) => !exclude.includes(serverOf(address)));
    if (found === undefined) throw new WeirError('no_endpoint');
    return {
      endpoint: found,
      server: serverOf(found.address),
      firstByte: () => undefined,
      done: (outcome) => outcomes.push(outcome),
    };
  };
  const endpoints = new Endpoints(a.channel, { store, balancer: { pick } }, () => {
    changes += 1;
  });
  return { endpoints, register, outcomes, changes: () => changes };
}

test('it is news when one comes, goes or moves, and none what they report, nor what happens to other channels', () => {
  const { endpoints, register, changes } = known(a);
  const news = (...all: Endpoint[]) => {
    const before = changes();
    register(...all);
    return changes() - before;
  };
  assert.equal(news({ ...a, load: 0.9, version: 2 }), 0);
  assert.equal(news(a, other), 0);
  assert.equal(news(a, b, other), 1);
  assert.equal(news({ ...a, address: endpoint('news', '10.0.0.3:80').address }, b), 1);
  assert.equal(news(b), 1);
  assert.equal(news({ ...b, draining: true, version: 2 }), 1);
  assert.equal(news({ ...b, version: 3 }), 1);
  endpoints.close();
  assert.equal(news(a), 0, 'nor is anything once it is closed');
});

describe('whoever failed', () => {
  test('is passed over until all are pardoned', () => {
    const { endpoints } = known(a, b);
    endpoints.blame(endpoints.pick(undefined));
    assert.equal(endpoints.pick(undefined).endpoint, b);
    endpoints.blame(endpoints.pick(undefined));
    assert.throws(() => endpoints.pick(undefined), { code: 'no_endpoint' });
    endpoints.pardon();
    assert.equal(endpoints.pick(undefined).endpoint, a);
    assert.equal(endpoints.pick(endpoints.pick(undefined)).endpoint, b, 'nor is who is not wanted');
  });

  test('is forgiven when it is registered anew, and not when somebody else is', () => {
    const { endpoints, register } = known(a, b);
    endpoints.blame(endpoints.pick(undefined));
    register(a, b, endpoint('news', '10.0.0.3:80'));
    assert.equal(endpoints.pick(undefined).endpoint, b);
    const again = { ...a, id: 'again' as EndpointId };
    register(again, b);
    assert.equal(endpoints.pick(undefined).endpoint, again);
  });

  test('is blamed only when the stream turns out to exist', () => {
    const exists = known(a);
    exists.endpoints.pick(undefined).done('stall');
    assert.deepEqual(exists.outcomes, []);
    exists.endpoints.prove();
    assert.deepEqual(exists.outcomes, ['stall']);
    const madeUp = known(a);
    madeUp.endpoints.pick(undefined).done('stall');
    madeUp.endpoints.close();
    assert.deepEqual(madeUp.outcomes, ['abandoned']);
  });
});

test('who is to leave an endpoint that drains is led to none that drains', () => {
  const drains = { draining: true } as const;
  const { endpoints, register } = known({ ...a, ...drains }, { ...b, ...drains });
  const first = endpoints.pick(undefined);
  assert.throws(() => endpoints.pick(first), { code: 'no_endpoint' });
  register({ ...a, ...drains }, b);
  assert.equal(endpoints.pick(first).endpoint, b);
});

test('an endpoint is registered by its address, gone, or moved where another worker comes in', () => {
  const again = { ...a, id: 'again' as EndpointId };
  const rows: [Endpoint, Endpoint[], string][] = [
    [a, [a, b], 'registered'],
    [a, [again], 'registered'],
    [a, [{ ...a, draining: true }, b], 'draining'],
    [a, [{ ...a, draining: true }, again], 'registered'],
    [a, [b], 'deregistered'],
    [a, [], 'deregistered'],
    [a, [worker], 'moved'],
    [worker, [worker], 'registered'],
    [worker, [a], 'moved'],
    [worker, [], 'deregistered'],
  ];
  for (const [current, registered, expected] of rows) {
    const all = registered.map(({ address }) => address).join(' ');
    assert.equal(known(...registered).endpoints.registrationOf(current), expected, `${current.address} of ${all}`);
  }
});

test('only the end that a worker makes which still has the channel is final', () => {
  const rows: [Endpoint, Endpoint[], 'end' | 'cut', boolean][] = [
    [worker, [worker], 'end', true],
    [worker, [worker], 'cut', false],
    [worker, [a], 'end', false],
    [a, [a], 'end', false],
  ];
  for (const [from, registered, fault, expected] of rows) {
    assert.equal(known(...registered).endpoints.isFinal(fault, from), expected);
  }
});

test('another worker is given the time of its own failover before it counts as silent', () => {
  const settings = { stallTimeoutMs: 3_000, graceMs: 10_000 };
  assert.deepEqual([stallTimeoutOf(a, settings), stallTimeoutOf(worker, settings)], [3_000, 13_000]);
});

test('behind another edge there are the origins: it is neither waited for like a worker, nor the only one to try', () => {
  const settings = { stallTimeoutMs: 3_000, graceMs: 10_000 };
  const edge: Endpoint = { ...worker, peer: 'edge' };
  assert.equal(stallTimeoutOf(edge, settings), 3_000);
  assert.deepEqual([known(worker).endpoints.isAlone, known(edge).endpoints.isAlone], [true, false]);
});

test('an edge that may be tried again is another endpoint at the same place, and is forgiven', () => {
  const first: Endpoint = { ...worker, peer: 'edge' };
  const { endpoints, register } = known(first);
  endpoints.blame(endpoints.pick(undefined));
  assert.throws(() => endpoints.pick(undefined), { code: 'no_endpoint' });
  register({ ...first, id: 'w1#1' as EndpointId });
  assert.equal(endpoints.pick(undefined).endpoint.id, 'w1#1');
});
