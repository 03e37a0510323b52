// What registrations say of an endpoint beside its load holds under every policy.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seeded } from '../../bench/balance/random.js';
import { Balancer, type PickOptions } from '../../src/balancer/balancer.js';
import { createPolicy, type PolicyName } from '../../src/balancer/policies.js';
import { WeirError } from '../../src/errors.js';
import type { ChannelName, Endpoint } from '../../src/model.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint } from '../support/data-plane.js';
import { runs } from '../support/runs.js';

const news = 'news' as ChannelName;
const policies: readonly PolicyName[] = ['adaptive', 'lowest', 'p2c', 'round-robin', 'random', 'rendezvous'];

/** An edge, in the zone `here`, with these endpoints. */
class Edge {
  readonly balancer: Balancer;
  now = 100_000;
  readonly #store = new SnapshotStore();
  #revision = 0;

  constructor(policy: PolicyName, endpoints: readonly Endpoint[], seed = 1) {
    this.register(...endpoints);
    this.balancer = new Balancer({
      store: this.#store,
      policy: createPolicy(policy),
      settings: {
        policy,
        lossWeight: 10,
        tieBand: 0.02,
        edges: 1,
        affinityMargin: 0.1,
        zone: 'here',
        zoneSpill: 0.8,
        outlier: { consecutiveFailures: 1, baseEjection: 30_000, maxEjection: 300_000, panicThreshold: 0.7 },
      },
      observer: { picked() {}, ejected() {}, refused() {} },
      addressAllowed: () => true,
      now: () => this.now,
      random: seeded(seed),
    });
  }

  register(...endpoints: readonly Endpoint[]): void {
    this.#revision += 1;
    this.#store.accept({ kind: 'full', revision: this.#revision, state: 'live', endpoints });
  }

  pick(options?: PickOptions): string {
    this.now += 100;
    const pick = this.balancer.pick(news, options);
    pick.done('success');
    return pick.endpoint.address;
  }

  /** How many of so many picks each address gets. */
  count(picks: number, options?: PickOptions): Record<string, number> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < picks; i += 1) {
      const address = this.pick(options);
      counts[address] = (counts[address] ?? 0) + 1;
    }
    return counts;
  }

  reasons(): Record<string, string | undefined> {
    return Object.fromEntries(this.balancer.explain(news).endpoints.map((one) => [one.endpoint.address, one.reason]));
  }
}

const [a, b, c] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] as const;
type Values = Partial<Endpoint>;
const at = (address: string, values: Values = {}): Endpoint => ({
  ...endpoint('news', address),
  load: 0.4,
  packetLoss: 0,
  ...values,
});

for (const policy of policies) {
  describe(policy, () => {
    test('an endpoint that drains gets no picks while there is another, and is a normal one when it does not drain any more', () => {
      const edge = new Edge(policy, [at(a, { draining: true, load: 0 }), at(b)]);
      assert.deepEqual(edge.count(50), { [b]: 50 });
      assert.deepEqual(edge.reasons(), { [a]: 'draining', [b]: undefined });
      edge.register(at(a, { load: 0, version: 2 }), at(b));
      assert.deepEqual(edge.reasons(), { [a]: undefined, [b]: undefined });
      const last = new Edge(policy, [at(a, { draining: true }), at(b, { lastResort: true })]);
      assert.deepEqual(last.count(20), { [a]: 20 });
    });

    test('only endpoints of the lowest priority that has a usable one are picked', () => {
      const edge = new Edge(policy, [at(a, { priority: 1, load: 0 }), at(b), at(c, { priority: 2, load: 0 })]);
      assert.deepEqual(edge.count(20), { [b]: 20 });
      assert.deepEqual(edge.reasons(), { [a]: 'lower_priority', [b]: undefined, [c]: 'lower_priority' });
      edge.balancer.pick(news).done('connect_error');
      assert.deepEqual(edge.count(20), { [a]: 20 });
      assert.deepEqual(edge.reasons(), { [a]: undefined, [b]: 'ejected', [c]: 'lower_priority' });
    });

    test('a canary gets at most the share of its weight, however good it looks', () => {
      const canary = at(a, { weight: 0.05, load: 0 });
      const counts = new Edge(policy, [canary, at(b)]).count(2_100);
      assert.ok((counts[a] ?? 0) <= 101, JSON.stringify(counts));
      assert.ok((counts[b] ?? 0) >= 1_999, JSON.stringify(counts));
    });

    test('weight 0 gets no pick, though nothing else is left', () => {
      const edge = new Edge(policy, [at(a, { weight: 0, load: 0 }), at(b)]);
      assert.deepEqual(edge.count(50), { [b]: 50 });
      assert.deepEqual(edge.reasons(), { [a]: 'no_weight', [b]: undefined });
      edge.register(at(a, { weight: 0 }));
      assert.throws(
        () => edge.pick(),
        (error) => error instanceof WeirError && error.code === 'no_endpoint',
      );
      assert.equal(edge.balancer.hasEligible(news, []), false);
    });

    test('endpoints of the own zone are preferred while they have room', () => {
      const edge = new Edge(policy, [at(a, { zone: 'here', load: 0.7 }), at(b, { zone: 'there', load: 0 }), at(c)]);
      assert.deepEqual(edge.count(50), { [a]: 50 });
      assert.deepEqual(edge.reasons(), { [a]: undefined, [b]: 'other_zone', [c]: 'other_zone' });
      edge.balancer.pick(news).done('connect_error');
      assert.equal(edge.count(20)[a], undefined);
    });
  });
}

test('above the load that the zone may have a part of the picks spills over, and all of them at a load of 1', () => {
  const remote = at(b, { zone: 'there', load: 0.1 });
  const edge = new Edge('lowest', [at(a, { zone: 'here', load: 0.85 }), remote]);
  const { [a]: near = 0, [b]: far = 0 } = edge.count(1_000);
  assert.ok(Math.abs(far - 250) <= 1, `${near} ${far}`);
  assert.ok(Math.abs(edge.balancer.explain(news).zoneSpill - 0.25) < 1e-9);
  edge.register(at(a, { zone: 'here', load: 1, version: 2 }), remote);
  assert.deepEqual(edge.count(100), { [b]: 100 });
  edge.register(at(a, { zone: 'here', load: 0.8, version: 3 }), remote);
  assert.deepEqual(edge.count(100), { [a]: 100 });
});

test('where the other zones are worse what spills over stays all the same', () => {
  const edge = new Edge('lowest', [at(a, { zone: 'here', load: 0.9 }), at(b, { zone: 'there', load: 0.99 })]);
  assert.deepEqual(edge.count(100), { [a]: 100 });
});

test('a canary that the policy likes as well as another gets its share, and not next to nothing', () => {
  for (const policy of ['adaptive', 'lowest', 'round-robin', 'random', 'p2c'] as const) {
    const { [a]: canary = 0 } = new Edge(policy, [at(a, { weight: 0.05 }), at(b)]).count(2_100);
    assert.ok(canary >= 60 && canary <= 101, `${policy}: ${canary}`);
  }
});

test('edges that make one pick each give a canary its share together', () => {
  let canary = 0;
  const edges = runs(400, 2_000);
  for (let seed = 1; seed <= edges; seed += 1) {
    if (new Edge('lowest', [at(a, { weight: 0.05, load: 0 }), at(b)], seed).pick() === a) canary += 1;
  }
  assert.ok(canary > 0.025 * edges && canary < 0.075 * edges, `${canary}`);
});

test('the shares of several lighter endpoints hold beside each other', () => {
  const edge = new Edge('lowest', [
    at(a, { weight: 1, load: 0 }),
    at(b, { weight: 1, load: 0.2 }),
    at(c, { weight: 2, load: 0.9 }),
  ]);
  const counts = edge.count(4_000);
  for (const address of [a, b]) assert.ok(Math.abs((counts[address] ?? 0) - 1_000) <= 2, JSON.stringify(counts));
});

test('weights that all share change nothing, and adaptive starts with the registered capacity', () => {
  const even = new Edge('lowest', [at(a, { weight: 100, load: 0.1 }), at(b, { weight: 100 })]);
  assert.deepEqual(even.count(20), { [a]: 20 });
  const endpoints = new Edge('adaptive', [at(a, { weight: 3 }), at(b)]).balancer.explain(news).endpoints;
  const [heavy, light] = endpoints.map(({ terms }) => terms['share'] ?? 0);
  assert.ok(Math.abs((heavy ?? 0) / (light ?? 1) - 3) < 0.01, `${heavy} ${light}`);
});

test('what is saved for a canary outlives its reports, and ends with its registration', () => {
  const edge = new Edge('lowest', [at(a, { weight: 0.25, load: 0 }), at(b)]);
  let canary = 0;
  for (let version = 2; version < 102; version += 1) {
    edge.register(at(a, { weight: 0.25, load: 0, version }), at(b, { version }));
    if (edge.pick() === a) canary += 1;
  }
  assert.ok(Math.abs(canary - 20) <= 1, `${canary}`);
});

test('new sessions are placed by picks where there is a canary, and neither follow it nor are drawn to it', () => {
  const canary = at(a, { weight: 0.05, load: 0 });
  const edge = new Edge('lowest', [canary, at(b, { load: 0.3 }), at(c, { load: 0.32 })]);
  const session = { sticky: true, session: true } as const;
  const picks = Array.from({ length: 410 }, () => edge.balancer.pick(news, session));
  const onCanary = picks.filter((pick) => pick.endpoint.address === a);
  assert.ok(onCanary.length >= 9 && onCanary.length <= 11, `${onCanary.length}`);
  // With each report all of them ask whether to leave. The canary looks better by more than the margin.
  for (let version = 2; version < 20; version += 1) {
    edge.register({ ...canary, version }, at(b, { load: 0.3, version }), at(c, { load: 0.32, version }));
    const leaving = picks.filter((pick) => edge.balancer.drawLeave(pick));
    assert.ok(
      leaving.every((pick) => pick.endpoint.address !== a),
      'nobody leaves the canary',
    );
    const present = edge.balancer.explain(news).endpoints.find(({ sticky }) => sticky)?.endpoint.address;
    assert.ok(
      leaving.every((pick) => pick.endpoint.address !== present),
      'nobody leaves for the canary',
    );
  }
});

test('sessions leave a canary that is worse than the others by more than the margin', () => {
  const edge = new Edge('lowest', [at(a, { weight: 0.5, load: 0 }), at(b)]);
  const session = { sticky: true, session: true } as const;
  const picks = Array.from({ length: 90 }, () => edge.balancer.pick(news, session));
  const onCanary = picks.filter((pick) => pick.endpoint.address === a);
  assert.ok(onCanary.length > 25, `${onCanary.length}`);
  let left = 0;
  for (let version = 2; version < 200; version += 1) {
    edge.register(at(a, { weight: 0.5, load: 0.9, version }), at(b, { version }));
    left += onCanary.filter((pick) => edge.balancer.drawLeave(pick)).length;
  }
  assert.ok(left > 10, `${left}`);
});

test('HLS leaves an endpoint that drains at once, and one of another zone or priority by and by', () => {
  const sticky = { sticky: true } as const;
  const edge = new Edge('lowest', [at(a), at(b, { load: 0.9 })]);
  const pick = edge.balancer.pick(news, sticky);
  assert.equal(pick.endpoint.address, a);
  assert.equal(edge.balancer.drawLeave(pick), false);
  edge.register(at(a, { draining: true, version: 2 }), at(b, { load: 0.9 }));
  assert.equal(edge.balancer.drawLeave(pick), true);

  let back = 0;
  for (let seed = 1; seed <= 400; seed += 1) {
    const one = new Edge('lowest', [at(b, { zone: 'there' })], seed);
    const far = one.balancer.pick(news, sticky);
    one.register(at(a, { zone: 'here', load: 0.4 }), at(b, { zone: 'there', version: 2 }));
    if (one.balancer.drawLeave(far)) back += 1;
  }
  // Half of the room that the own zone has: 1 - 0.4 / 0.8.
  assert.ok(back > 60 && back < 140, `${back}`);
});

test('HLS that plays in another zone stays there while the own one has no room', () => {
  const edge = new Edge('lowest', [at(b, { zone: 'there' })]);
  const far = edge.balancer.pick(news, { sticky: true });
  for (let version = 2; version < 50; version += 1) {
    edge.register(at(a, { zone: 'here', load: 0.9, version }), at(b, { zone: 'there', version }));
    assert.equal(edge.balancer.drawLeave(far), false);
  }
  assert.equal(edge.balancer.explain(news).why, 'its HLS stays here for now, though others are preferred');
});

test('a changed zone counts from the next pick on', () => {
  const settings = {
    policy: 'lowest',
    lossWeight: 10,
    tieBand: 0.02,
    edges: 1,
    affinityMargin: 0.1,
    zone: 'here',
    zoneSpill: 0.8,
    outlier: { consecutiveFailures: 1, baseEjection: 30_000, maxEjection: 300_000, panicThreshold: 0.7 },
  };
  const store = new SnapshotStore();
  const endpoints = [at(a, { zone: 'here' }), at(b, { zone: 'there' })];
  store.accept({ kind: 'full', revision: 1, state: 'live', endpoints });
  const observer = { picked() {}, ejected() {}, refused() {} };
  const common = { addressAllowed: () => true, now: () => 0, random: seeded(1) };
  const balancer = new Balancer({ store, policy: createPolicy('lowest'), settings, observer, ...common });
  assert.equal(balancer.pick(news).endpoint.address, a);
  settings.zone = 'there';
  balancer.configured();
  assert.equal(balancer.pick(news).endpoint.address, b);
});
