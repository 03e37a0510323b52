import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPolicy, type PolicyName } from '../../src/balancer/policies.js';
import type { Candidate, PickContext } from '../../src/balancer/policy.js';
import { score } from '../../src/balancer/score.js';
import { candidate, candidates, context } from './candidates.js';

const names: readonly PolicyName[] = ['adaptive', 'lowest', 'p2c', 'round-robin', 'random', 'rendezvous'];
const settings = { lossWeight: 10, tieBand: 0.02, edges: 1 };

/** How often each index is picked in `times` picks. */
function tally(name: PolicyName, list: readonly Candidate[], times: number, given: PickContext = context()): number[] {
  const policy = createPolicy(name);
  const counts = list.map(() => 0);
  for (let i = 0; i < times; i += 1) {
    const chosen = policy.pick(list, given);
    counts[chosen] = (counts[chosen] ?? 0) + 1;
  }
  return counts;
}

test('a score is load and weighted loss; unknown values are never zero', () => {
  const of = (load: unknown, loss?: unknown) => score(candidate({ load, packetLoss: loss }).endpoint, settings);
  assert.equal(of(0.5, 0.02), 0.7);
  const worstKnown = of(1, 1);
  for (const bad of [undefined, Number.NaN, -1, 7, 75, '0.1', null, Number.POSITIVE_INFINITY, {}]) {
    assert.ok(of(bad, 0) > worstKnown, `load ${String(bad)} ranks behind every known one`);
    assert.ok(of(0.5, bad) > of(0.5, 0), `loss ${String(bad)} ranks behind a measured clean path`);
    assert.ok(of(0.4, bad) < of(0.5, bad), `loss ${String(bad)} leaves the order to the load`);
  }
});

test('no policy throws, leaves the list or answers NaN, whatever the reports contain', () => {
  const value = fc.oneof(fc.double(), fc.string(), fc.constant(undefined), fc.double({ min: 0, max: 1 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 12 }), fc.integer(), (values, seed) => {
      const list = candidates(...values);
      for (const name of names) {
        const policy = createPolicy(name);
        const given = context(seed);
        const chosen = policy.pick(list, given);
        assert.ok(list[chosen] !== undefined, `${name} chose ${chosen} of ${list.length}`);
        for (const one of list) assert.ok(!Number.isNaN(policy.terms(one, given).score), name);
      }
    }),
  );
});

test('lowest takes the lowest score', () => {
  const cases: readonly [readonly [unknown, unknown][], number][] = [
    [
      [
        [0.75, 0.02],
        [0.1, 0],
        [0.5, 0],
      ],
      1,
    ],
    [
      [
        [0.4, 0.02],
        [0.4, 0.05],
        [0.4, 0],
      ],
      2,
    ],
    [
      [
        [0.2, 0.05],
        [0.3, 0],
        [0.9, 0],
      ],
      1,
    ],
    [
      [
        [Number.NaN, 0],
        [-1, 0],
        [7, 0],
        [undefined, undefined],
        ['0.1', 0],
        [0.5, Number.NaN],
        [0.1, 0],
      ],
      6,
    ],
    [[[1, 1]], 0],
  ];
  for (const [values, expected] of cases) {
    const counts = tally('lowest', candidates(...values), 50);
    assert.equal(counts[expected], 50, JSON.stringify(values));
  }
});

test('lowest shares evenly within the tie band and keeps out what is outside', () => {
  const counts = tally('lowest', candidates([0.3, 0], [0.31, 0], [0.32, 0], [0.3, 0]), 3000);
  assert.equal(counts[2], 0);
  for (const i of [0, 1, 3]) assert.ok(Math.abs((counts[i] ?? 0) - 1000) < 120, String(counts));
});

test('p2c never picks the worst of three and uses in-flight within the tie band', () => {
  const counts = tally('p2c', candidates([0.1, 0], [0.5, 0], [0.9, 0]), 3000);
  assert.equal(counts[2], 0);
  assert.ok((counts[0] ?? 0) > 1800 && (counts[1] ?? 0) > 800, String(counts));
  const busy = [
    candidate({ load: 0.3, packetLoss: 0, state: { inFlight: 9 } }),
    candidate({ load: 0.31, packetLoss: 0, state: { inFlight: 2 } }),
  ];
  assert.deepEqual(tally('p2c', busy, 100), [0, 100]);
});

test('round-robin takes turns by the address that was picked longest ago', () => {
  const policy = createPolicy('round-robin');
  const last = [0, 0, 0];
  const order: number[] = [];
  for (let turn = 1; turn <= 9; turn += 1) {
    const list = last.map((lastPick, i) => candidate({ address: `10.0.0.${i}:80`, state: { lastPick } }));
    const chosen = policy.pick(list, context(turn));
    last[chosen] = turn;
    order.push(chosen);
  }
  assert.deepEqual(order.slice(0, 3).sort(), [0, 1, 2]);
  assert.deepEqual(order.slice(3, 6), order.slice(0, 3));
  assert.deepEqual(order.slice(6), order.slice(0, 3));
});

test('edges that start together do not walk in step', () => {
  const firsts = new Set(
    Array.from({ length: 40 }, (_, seed) => createPolicy('round-robin').pick(candidates([0], [0], [0]), context(seed))),
  );
  assert.equal(firsts.size, 3);
});

test('random spreads evenly', () => {
  const counts = tally('random', candidates([0], [1], [undefined], [0.5]), 4000);
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 130, String(counts));
});

test('rendezvous spreads channels evenly and an endpoint that leaves moves only its own', () => {
  const list = Array.from({ length: 10 }, (_, i) => candidate({ address: `http://10.0.0.${i}:8080/live` }));
  const policy = createPolicy('rendezvous');
  const counts = list.map(() => 0);
  for (let channel = 0; channel < 5000; channel += 1) {
    const given = context(1, { key: `channel-${channel}` });
    const chosen = policy.pick(list, given);
    counts[chosen] = (counts[chosen] ?? 0) + 1;
    const without = list.filter((_, i) => i !== 3);
    const again = without[policy.pick(without, given)];
    if (chosen !== 3) assert.equal(again, list[chosen]);
  }
  for (const count of counts) assert.ok(Math.abs(count - 500) < 100, String(counts));
});
