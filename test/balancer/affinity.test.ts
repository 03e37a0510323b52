import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../bench/balance/random.js';
import { Affinity, leaveChance } from '../../src/balancer/affinity.js';
import type { Candidate } from '../../src/balancer/policy.js';
import type { ChannelName } from '../../src/model.js';
import { candidate } from './candidates.js';

const settings = { lossWeight: 10, tieBand: 0.02, edges: 1, affinityMargin: 0.1 };
const channel = (i: number) => `channel ${i}` as ChannelName;

/** New reports of endpoints that carry so many sessions of this edge each; the session in question is on the first. */
function reports(inFlight: number, ...loads: readonly (number | undefined)[]): [Candidate, ...Candidate[]] {
  const [mine = candidate(), ...others] = loads.map((load, i) =>
    candidate({ address: `10.0.0.${i}:80`, load, packetLoss: 0, state: { inFlight } }),
  );
  return [mine, ...others];
}

function settled(count: number): Affinity {
  const affinity = new Affinity();
  const [mine] = reports(count, 0.5);
  for (let i = 0; i < count; i += 1) affinity.stick(channel(i), mine);
  return affinity;
}

/** How many of those still settled leave. */
function leave(affinity: Affinity, count: number, all: readonly Candidate[], random: () => number): number {
  const names = Array.from({ length: count }, (_, i) => channel(i)).filter((name) => affinity.of(name) !== undefined);
  return names.filter((name) => affinity.stay(name, all, { settings, random }) < 0).length;
}

test('nobody leaves within the margin; without a margin everybody does', () => {
  const all = reports(20, 0.5, 0.41, 0.9);
  assert.equal(leaveChance(all[0], all, settings), 0);
  assert.equal(leaveChance(all[0], all, { ...settings, affinityMargin: 0 }), 1);
});

test('the only session of the only edge on an endpoint leaves at once', () => {
  const all = reports(1, 0.5, 0.3);
  assert.equal(leaveChance(all[0], all, settings), 1);
  assert.ok(leaveChance(all[0], all, { ...settings, edges: 2 }) < 1);
});

test('of many sessions half of what is above the mean leaves after a report', () => {
  const left = leave(settled(4000), 4000, reports(4000, 0.8, 0.4), seeded(1));
  assert.ok(Math.abs(left / 4000 - 0.125) < 0.02, `${left}`);
});

test('a report is drawn on once, and the next one again', () => {
  const affinity = settled(1000);
  const random = seeded(2);
  const all = reports(1000, 0.8, 0.4);
  assert.ok(leave(affinity, 1000, all, random) > 50);
  assert.equal(leave(affinity, 1000, all, random), 0);
  assert.ok(leave(affinity, 1000, reports(1000, 0.8, 0.4), random) > 50);
});

test('the report that a session came with is not drawn on', () => {
  const affinity = new Affinity();
  const all = reports(20, 0.8, 0.4);
  affinity.stick(channel(0), all[0]);
  assert.equal(affinity.stay(channel(0), all, { settings, random: () => 0 }), 0);
});

test('endpoints that are worse, or tell nothing, hide no surplus', () => {
  const plain = reports(20, 0.8, 0.4);
  for (const worse of [1, undefined]) {
    const all = reports(20, 0.8, 0.4, worse);
    assert.equal(leaveChance(all[0], all, settings), leaveChance(plain[0], plain, settings));
  }
});

test('a look without a draw says leave only where it is certain', () => {
  const affinity = settled(1);
  const context = { settings, random: () => assert.fail('no draw') };
  assert.equal(affinity.mayStay(channel(0), reports(20, 0.8, 0.4), context), 0);
  assert.equal(affinity.mayStay(channel(0), reports(1, 0.8, 0.4), context), -1);
  assert.equal(affinity.mayStay(channel(0), [], context), -1);
});
