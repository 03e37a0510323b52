// Who hears of a snapshot before whom: what is picked from is up to date before anybody picks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balancer } from '../../src/balancer/balancer.js';
import { createPolicy } from '../../src/balancer/policies.js';
import { toWeirError } from '../../src/errors.js';
import type { ChannelName, Endpoint, Update } from '../../src/model.js';
import { Alone } from '../../src/sharding/alone.js';
import type { Member } from '../../src/sharding/owner.js';
import { Sharded } from '../../src/sharding/sharded.js';
import type { Sharding } from '../../src/sharding/sharding.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { createUpstreamClient } from '../../src/upstream/client.js';
import { Destinations } from '../../src/upstream/destinations.js';
import { Pools } from '../../src/upstream/pools.js';
import { endpoint, testConfig } from '../support/data-plane.js';

const news = 'news' as ChannelName;
const self: Member = { slot: 0, name: 'worker-0', socket: '/nowhere' };
const [first, second] = [endpoint(news, '10.0.0.1:80', { load: 0.1 }), endpoint(news, '10.0.0.2:80', { load: 0.9 })];
const full = (revision: number, ...endpoints: Endpoint[]): Update => ({
  kind: 'full',
  revision,
  state: 'live',
  endpoints,
});

/** All that a data plane makes of a store, made by someone who subscribed to it before. */
function create(store: SnapshotStore, place: 'alone' | 'sharded'): Sharding {
  const { balancer: settings, upstream, http } = testConfig();
  const balancer = new Balancer({
    store,
    policy: createPolicy('lowest'),
    settings: { ...settings, edges: 1 },
    observer: { picked() {}, ejected() {}, refused() {} },
    addressAllowed: () => true,
    now: () => 0,
    random: () => 0,
  });
  const poolSettings = { ...upstream, peerConnections: http.maxConnections };
  const pools = new Pools(store, new Destinations(upstream.allow), poolSettings);
  const client = createUpstreamClient(pools, upstream, {});
  const parts = { store, balancer, pools, client };
  return place === 'alone' ? new Alone(parts) : new Sharded(self, parts, undefined);
}

for (const place of ['alone', 'sharded'] as const) {
  test(`whoever picks while it hears of a deletion never gets the deleted endpoint, also when it heard first (${place})`, () => {
    const store = new SnapshotStore();
    const picked: string[] = [];
    // As a relay that leaves an endpoint: it picks within its own callback.
    store.subscribe((_snapshot, { drop }) => {
      if (drop.length === 0) return;
      try {
        picked.push(sharding.picks.pick(news).endpoint.address);
      } catch (error) {
        picked.push(toWeirError(error).code);
      }
    });
    const sharding = create(store, place);
    store.accept(full(1, first, second));
    sharding.picks.pick(news).done('abandoned');
    store.accept(full(2, second));
    store.accept(full(3));
    assert.deepEqual(picked, [second.address, 'unknown_channel']);
  });
}
