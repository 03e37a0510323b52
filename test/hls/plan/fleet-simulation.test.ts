// Several edges under one plan: whatever happens to origins, edges and what they hear of each other, a number stands for one
// segment.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { contradictions, FleetEdge, FleetOrigin, PlanFleet } from '../../support/plan-fleet.js';
import { runs } from '../../support/runs.js';

interface Setting {
  readonly fleet: PlanFleet;
  readonly edges: FleetEdge[];
}

function setting({ edges: count = 2, clock = false }: { edges?: number; clock?: boolean } = {}): Setting {
  const fleet = new PlanFleet(() => 0.5);
  for (const [index, tag] of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].entries())
    fleet.origins.set(tag, new FleetOrigin(tag, 100 + 5_000 * index, clock));
  const tags = [...fleet.origins.keys()];
  const edges = Array.from({ length: count }, (_, index) => {
    const edge = new FleetEdge(`edge${index}`, fleet, tags[index % tags.length] ?? '');
    edge.newsMs = 10 + 15 * index;
    edge.skewMs = 1_000 * index;
    return edge;
  });
  return { fleet, edges };
}

/** Players ask every edge a few times a second. */
function watch({ fleet, edges }: Setting): void {
  for (const [index, edge] of edges.entries()) {
    const again = () => {
      void edge.poll();
      fleet.after(400 + 37 * index, again);
    };
    fleet.after(91 * index, again);
  }
}

function assertCoherent({ edges }: Setting): void {
  assert.deepEqual(contradictions(edges), []);
  for (const { checker } of edges) assert.deepEqual(violations(checker.violations), []);
}

/** A list that lost its head as a whole is short for a while. */
function violations(all: readonly string[]): string[] {
  return all.filter((one) => !one.startsWith('removing'));
}

function lastOf(edge: FleetEdge | undefined): number {
  return edge?.window?.entries.at(-1)?.sequence ?? -1;
}

suite('edges under one plan', () => {
  test('two edges that would begin at two endpoints begin at one, with the same numbers', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(10_000);
    assertCoherent(all);
    const [one, other] = all.edges;
    assert.equal(one?.source, other?.source);
    assert.ok(Math.abs(lastOf(one) - lastOf(other)) <= 1);
    assert.ok((one?.checker.known.size ?? 0) > 8);
  });

  for (const clock of [false, true]) {
    test(`an endpoint dies${clock ? ', and both lists tell the time' : ''}: both edges go on with the same numbers`, async () => {
      const all = setting({ clock });
      watch(all);
      await all.fleet.pass(10_300);
      const origin = all.fleet.origins.get(all.edges[0]?.source ?? '');
      assert.ok(origin !== undefined);
      origin.alive = false;
      await all.fleet.pass(20_000);
      assertCoherent(all);
      for (const edge of all.edges) {
        assert.notEqual(edge.source, origin.tag);
        assert.equal(edge.window?.entries.at(-1)?.discontinuitySequence, 1);
      }
      assert.ok(Math.abs(lastOf(all.edges[0]) - lastOf(all.edges[1])) <= 1);
    });
  }

  test('an edge sees the end of an endpoint three seconds before another one: the same numbers', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(10_300);
    const [one, other] = all.edges;
    const tag = one?.source ?? '';
    one?.unreachable.add(tag);
    await all.fleet.pass(3_000);
    other?.unreachable.add(tag);
    await all.fleet.pass(15_000);
    assertCoherent(all);
    assert.equal(one?.source, other?.source);
    assert.notEqual(one?.source, tag);
  });

  test('an edge that lags by two segments is not overtaken: what another one has listed stays', async () => {
    const all = setting();
    const [one, other] = all.edges;
    watch(all);
    await all.fleet.pass(6_000);
    assert.ok(one !== undefined && other !== undefined);
    one.lagMs = 4_500;
    await all.fleet.pass(6_000);
    one.unreachable.add(one.source);
    one.lagMs = 0;
    await all.fleet.pass(15_000);
    assertCoherent(all);
    assert.ok(Math.abs(lastOf(one) - lastOf(other)) <= 1);
  });

  test('an edge that is started anew shows the numbers of the others', async () => {
    const all = setting({ edges: 3 });
    watch(all);
    await all.fleet.pass(8_000);
    const [first, second] = all.edges;
    all.fleet.origins.get(first?.source ?? '')?.restart(all.fleet.now);
    await all.fleet.pass(12_000);
    second?.restart();
    await all.fleet.pass(12_000);
    assert.deepEqual(contradictions(all.edges), []);
    assert.ok(Math.abs(lastOf(first) - lastOf(second)) <= 1);
  });

  test('all edges are started anew: the numbers go on', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(8_000);
    const tag = all.edges[0]?.source ?? '';
    const highest = Math.max(...all.edges.map(lastOf));
    for (const edge of all.edges) edge.restart();
    const origin = all.fleet.origins.get(tag);
    assert.ok(origin !== undefined);
    origin.alive = false;
    await all.fleet.pass(8_000);
    assert.deepEqual(contradictions(all.edges), []);
    for (const edge of all.edges) assert.ok(lastOf(edge) > highest);
  });

  test("discontinuities in an origin's list count alike at an edge that did not see them", async () => {
    const all = setting({ edges: 3 });
    const third = all.edges.pop();
    assert.ok(third !== undefined);
    watch(all);
    const origin = all.fleet.origins.get('aaaaaaaa');
    origin?.tagged.add(109);
    origin?.tagged.add(111);
    await all.fleet.pass(20_000);
    all.edges.push(third);
    watch({ fleet: all.fleet, edges: [third] });
    await all.fleet.pass(5_000);
    assertCoherent(all);
    assert.equal(third.window?.entries.at(-1)?.discontinuitySequence, 2);
  });

  test('nothing can be agreed for a while: edges go on, and come together again', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(8_000);
    for (const edge of all.edges) edge.setCut(true);
    await all.fleet.pass(10_000);
    const before = all.edges.map(lastOf);
    for (const edge of all.edges) edge.setCut(false);
    await all.fleet.pass(10_000);
    assertCoherent(all);
    all.edges.forEach((edge, index) => {
      assert.ok(lastOf(edge) >= (before[index] ?? 0) + 4);
    });
  });

  test('an endpoint dies while nothing can be agreed: no edge shows a number twice, and they come together again', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(8_000);
    for (const edge of all.edges) edge.setCut(true);
    const origin = all.fleet.origins.get(all.edges[0]?.source ?? '');
    assert.ok(origin !== undefined);
    origin.alive = false;
    await all.fleet.pass(10_000);
    const before = all.edges.map(lastOf);
    for (const edge of all.edges) edge.setCut(false);
    await all.fleet.pass(20_000);
    for (const { checker } of all.edges) assert.deepEqual(violations(checker.violations), []);
    all.edges.forEach((edge, index) => {
      assert.ok(lastOf(edge) > (before[index] ?? 0) + 3, `${edge.name} stands still`);
    });
    const [one, other] = all.edges;
    const uri = (edge: FleetEdge | undefined, sequence: number) => edge?.checker.known.get(sequence)?.uri;
    const common = Math.min(lastOf(one), lastOf(other));
    assert.equal(uri(one, common), uri(other, common));
  });

  test('without edges that hear, an edge writes little', async () => {
    const all = setting();
    watch(all);
    await all.fleet.pass(60_000);
    assert.ok(all.fleet.writes <= 2, `${all.fleet.writes} writes`);
  });
});

const event = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 50, max: 6_000 }) }),
  fc.record({ kind: fc.constant('kill' as const), origin: fc.integer({ min: 0, max: 1 }) }),
  fc.record({ kind: fc.constant('revive' as const), origin: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ kind: fc.constant('restartOrigin' as const), origin: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ kind: fc.constant('tag' as const), origin: fc.integer({ min: 0, max: 2 }) }),
  fc.record({
    kind: fc.constant('unreach' as const),
    edge: fc.integer({ min: 0, max: 2 }),
    // There is one that all edges reach.
    origin: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({ kind: fc.constant('reach' as const), edge: fc.integer({ min: 0, max: 2 }) }),
  fc.record({
    kind: fc.constant('lag' as const),
    edge: fc.integer({ min: 0, max: 2 }),
    ms: fc.integer({ min: 0, max: 2_500 }),
  }),
  fc.record({
    kind: fc.constant('skew' as const),
    edge: fc.integer({ min: 0, max: 2 }),
    ms: fc.integer({ min: -20_000, max: 20_000 }),
  }),
);
const restart = fc.record({ kind: fc.constant('restart' as const), edge: fc.integer({ min: 0, max: 2 }) });
const cut = fc.record({
  kind: fc.constant('cut' as const),
  edge: fc.integer({ min: 0, max: 2 }),
  cut: fc.boolean(),
});
type Happening =
  | (typeof event extends fc.Arbitrary<infer T> ? T : never)
  | (typeof restart extends fc.Arbitrary<infer T> ? T : never)
  | (typeof cut extends fc.Arbitrary<infer T> ? T : never);

async function happen(all: Setting, happening: Happening): Promise<void> {
  const origins = [...all.fleet.origins.values()];
  const { fleet } = all;
  switch (happening.kind) {
    case 'pass':
      return fleet.pass(happening.ms);
    case 'cut':
      return all.edges[happening.edge]?.setCut(happening.cut);
    case 'restart':
      return all.edges[happening.edge]?.restart();
    case 'lag': {
      const edge = all.edges[happening.edge];
      if (edge !== undefined) edge.lagMs = happening.ms;
      return;
    }
    case 'skew': {
      const edge = all.edges[happening.edge];
      if (edge !== undefined) edge.skewMs = happening.ms;
      return;
    }
    case 'reach':
      return all.edges[happening.edge]?.unreachable.clear();
    default:
  }
  const origin = origins[happening.origin];
  if (origin === undefined) return;
  if (happening.kind === 'unreach') all.edges[happening.edge]?.unreachable.add(origin.tag);
  else if (happening.kind === 'kill') origin.alive = false;
  else if (happening.kind === 'revive') origin.alive = true;
  else if (happening.kind === 'restartOrigin') origin.restart(fleet.now);
  else origin.tagged.add(origin.newest(fleet.now) + 2);
}

test('while edges hear of each other, no number stands for two segments, whatever happens to origins', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 30 }), fc.boolean(), async (happenings, clock) => {
      const all = setting({ edges: 3, clock });
      watch(all);
      await all.fleet.pass(5_000);
      for (const happening of happenings) await happen(all, happening);
      await all.fleet.pass(5_000);
      assertCoherent(all);
    }),
    { numRuns: runs(20) },
  );
});

test('whatever else happens, no edge shows a number twice with another segment, nor a step back', async () => {
  const any = fc.oneof({ weight: 4, arbitrary: event }, { weight: 1, arbitrary: cut });
  await fc.assert(
    fc.asyncProperty(fc.array(any, { minLength: 5, maxLength: 30 }), fc.boolean(), async (happenings, clock) => {
      const all = setting({ edges: 3, clock });
      watch(all);
      await all.fleet.pass(5_000);
      for (const happening of happenings) await happen(all, happening);
      await all.fleet.pass(5_000);
      for (const { checker } of all.edges) assert.deepEqual(violations(checker.violations), []);
    }),
    { numRuns: runs(20) },
  );
});
