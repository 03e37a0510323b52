import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gaussian, seeded } from '../../../bench/balance/random.js';
import { Estimate } from '../../../src/balancer/adaptive/estimate.js';
import { GainVerdict } from '../../../src/balancer/adaptive/verdict.js';

/** What each report teaches, of two servers in turn: all goes to the one with the lower load. `next` is the load it tells. */
function reports(count: number, next: (loads: readonly number[], at: number, share: number, step: number) => number) {
  const loads = [0.3, 0.5];
  const shares = [0.5, 0.5];
  const befores = [0, 0];
  const usual = [0.3, 0.5];
  return Array.from({ length: count }, (_, step) => {
    const at = step % 2;
    const other = 1 - at;
    const share = (loads[at] ?? 0) <= (loads[other] ?? 0) ? 1 : 0;
    const last = loads[at] ?? 0;
    const load = Math.min(1, Math.max(0, next(loads, at, share, step)));
    const moved = (share - (shares[at] ?? 0)) / Math.max(0.025, (share + (shares[at] ?? 0)) / 2);
    const change = {
      expected: (moved * (load + last)) / 2,
      observed: load - last,
      before: befores[at] ?? 0,
      distance: last - (usual[at] ?? 0),
    };
    loads[at] = load;
    shares[at] = share;
    befores[at] = load - last;
    usual[at] = (usual[at] ?? 0) + 0.1 * (load - (usual[at] ?? 0));
    return change;
  });
}

/** @param part of the load that known traffic of ours would make */
function verdictOf(changes: ReturnType<typeof reports>, part = 0): GainVerdict {
  const verdict = new GainVerdict();
  for (const change of changes) verdict.observe(change, change, part);
  return verdict;
}

test('loads that follow our share are proven to within some dozen reports', () => {
  const random = seeded(3);
  const changes = reports(40, (_loads, _at, share) => 0.8 * share + 0.02 * gaussian(random));
  assert.ok(verdictOf(changes).proven > 0.9);
});

test('the more traffic of ours is known, the less evidence is asked for', () => {
  const random = seeded(3);
  const changes = reports(30, (_loads, _at, share) => 0.3 + 0.15 * share + 0.03 * gaussian(random));
  const [little, much] = [verdictOf(changes), verdictOf(changes, 0.5)];
  assert.ok(much.proven > 2 * little.proven && much.proven > 0.1, `${little.proven} and ${much.proven}`);
});

for (const [kind, next] of Object.entries({
  'that walk': (random: () => number) => (loads: readonly number[], at: number) =>
    Math.min(0.9, Math.max(0.1, (loads[at] ?? 0) + 0.2 * (random() - 0.5))),
  'that jump now and then': (random: () => number) => (loads: readonly number[], at: number) =>
    random() < 0.1 ? random() : (loads[at] ?? 0),
  'that climb and fall back': () => (_loads: readonly number[], at: number, _share: number, step: number) =>
    0.1 + 0.8 * ((step / 40 + at / 2) % 1),
  'that swing in waves': () => (_loads: readonly number[], at: number, _share: number, step: number) =>
    0.5 + 0.4 * Math.sin(step / 7 + 2 * at),
})) {
  test(`loads ${kind} by themselves prove nothing against us`, () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const changes = reports(2000, next(seeded(seed)));
      assert.ok(verdictOf(changes).proven < 0.05, `seed ${seed}: ${verdictOf(changes).proven}`);
    }
  });
}

test('a proof goes when small changes of our share are seen to move nothing, too', () => {
  const random = seeded(3);
  const verdict = verdictOf(reports(60, (_loads, _at, share) => 0.8 * share + 0.02 * gaussian(random)));
  assert.ok(verdict.proven > 0.9);
  for (let i = 0; i < 1500; i += 1) {
    const deaf = { expected: i % 2 === 0 ? 0.25 : -0.25, observed: 0.03 * gaussian(random), before: 0, distance: 0 };
    verdict.observe(deaf, deaf, 0);
  }
  assert.ok(verdict.proven < 0.02, `${verdict.proven}`);
});

test('one report proves nothing, however well it fits', () => {
  const estimate = new Estimate();
  estimate.observe({ expected: 1, observed: 1, before: 0, distance: 0 });
  assert.ok(estimate.lowerGain < estimate.error);
});

test('a proof stands while our share does not move, and goes when loads no longer follow it', () => {
  const random = seeded(3);
  const verdict = verdictOf(reports(60, (_loads, _at, share) => 0.8 * share + 0.02 * gaussian(random)));
  for (let i = 0; i < 1000; i += 1) {
    const still = { expected: 0, observed: i % 2 === 0 ? 0.01 : -0.01, before: 0, distance: 0 };
    verdict.observe(still, still, 0);
  }
  assert.ok(verdict.proven > 0.9);
  for (let i = 0; i < 1500; i += 1) {
    const deaf = { expected: i % 2 === 0 ? 0.6 : -0.6, observed: 0, before: 0, distance: 0 };
    verdict.observe(deaf, deaf, 0);
  }
  assert.ok(verdict.proven < 0.05);
});
