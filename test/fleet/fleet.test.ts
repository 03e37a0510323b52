import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../src/config-schema.js';
import { encodeDrainOrder } from '../../src/fleet/drain-order.js';
import { Fleet } from '../../src/fleet/fleet.js';
import { createLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import { FakeEnsemble, type FakeSession } from '../support/fake-ensemble.js';
import { HandClock } from '../support/hand-clock.js';

const clock = () => new HandClock();
const logger = createLogger({ ...configSchema.parse({}).log, level: 'silent' });
const drain = '/weir/drains/eu/a';

function join(session: FakeSession, time: HandClock, name = 'a', run = '00000001') {
  const orders: { readonly edges: number; readonly leaveWithinMs: number | undefined }[] = [];
  const metrics = createMetrics({ process: false });
  const fleet = new Fleet({
    session,
    root: '/weir',
    site: 'eu',
    node: { name, run },
    facts: { version: '0.1.0', started: '2026-01-01T00:00:00.000Z', players: 'http://a:8080' },
    vitals: () => ({ workers: 2, viewers: 0, bytesPerSecond: 0 }),
    graceMs: () => 10_000,
    obey: (edges, leaveWithinMs) => orders.push({ edges, leaveWithinMs }),
    clock: time,
    logger,
    metrics,
  });
  return { fleet, orders, metrics };
}

test('edges of all sites are counted, more of them soon and fewer when they stay fewer', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  ensemble.put('/weir/edges/us/b~00000002', '', undefined);
  const { fleet, orders } = join(session, time);
  session.connect();
  await time.pass(5_000);
  assert.deepEqual(orders.at(-1), { edges: 2, leaveWithinMs: undefined });
  ensemble.drop('/weir/edges/us/b~00000002');
  await time.pass(20_000);
  assert.equal(orders.at(-1)?.edges, 2);
  await time.pass(20_000);
  assert.equal(orders.at(-1)?.edges, 1);
  fleet.close();
});

test('the number of edges is held while ZooKeeper is away, and when all come back one after the other', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const sessions = Array.from({ length: 5 }, () => ensemble.session());
  const edges = sessions.map((session, i) => join(session, time, `e${i}`, `0000000${i}`));
  for (const session of sessions) session.connect();
  await time.pass(20_000);
  assert.equal(edges[0]?.orders.at(-1)?.edges, 5);
  const told = edges[0]?.orders.length;
  for (const session of sessions) session.lose();
  await time.pass(600_000);
  for (const session of sessions) {
    session.connect();
    await time.pass(4_000);
  }
  await time.pass(60_000);
  assert.equal(edges[0]?.orders.length, told);
  for (const { fleet } of edges) fleet.close();
});

test('an edge that is ordered out of service is not counted by others, gives viewers their time, and comes back', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const [one, two] = [ensemble.session(), ensemble.session()];
  const a = join(one, time);
  const b = join(two, time, 'b', '00000002');
  one.connect();
  two.connect();
  await time.pass(10_000);
  ensemble.put(drain, encodeDrainOrder({ at: '2026-01-01T00:00:00.000Z', graceMs: 90_000 }), undefined);
  await time.pass(60_000);
  assert.deepEqual(a.orders.at(-1), { edges: 1, leaveWithinMs: 90_000 });
  assert.equal(a.fleet.isDrained, true);
  assert.equal(b.orders.at(-1)?.edges, 1);
  assert.deepEqual(
    ensemble.paths.filter((path) => path.includes('~')),
    ['/weir/drained/eu/a~00000001', '/weir/edges/eu/b~00000002'],
  );
  ensemble.drop(drain);
  await time.pass(10_000);
  assert.deepEqual(a.orders.at(-1), { edges: 2, leaveWithinMs: undefined });
  assert.equal(b.orders.at(-1)?.edges, 2);
  a.fleet.close();
  b.fleet.close();
});

test('an order that somebody made by hand counts, with the time of the settings', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  const { fleet, orders } = join(session, time);
  ensemble.put(drain, 'please', undefined);
  session.connect();
  await time.pass(1_000);
  assert.equal(orders.at(-1)?.leaveWithinMs, 10_000);
  fleet.close();
});

test('an order stands while ZooKeeper is away, and no order is none', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  ensemble.put(drain, '', undefined);
  const { fleet } = join(session, time);
  await time.pass(10_000);
  assert.equal(fleet.isDrained, false);
  session.connect();
  await time.pass(0);
  assert.equal(fleet.isDrained, true);
  session.lose();
  await time.pass(100_000);
  assert.equal(fleet.isDrained, true);
  fleet.close();
});

test('an edge that starts again with an order never stands in the list of those in service for long', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  ensemble.put(drain, '', undefined);
  const { fleet } = join(session, time);
  session.connect();
  await time.pass(2_000);
  assert.equal(ensemble.nodes.has('/weir/edges/eu/a~00000001'), false);
  assert.equal(ensemble.nodes.has('/weir/drained/eu/a~00000001'), true);
  fleet.close();
});

test('an edge that ends leaves the list of those in service at once', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  const { fleet } = join(session, time);
  session.connect();
  await time.pass(1_000);
  fleet.leave();
  await time.pass(0);
  assert.equal(ensemble.nodes.has('/weir/edges/eu/a~00000001'), false);
  fleet.close();
});

test('an edge whose node somebody removed is back within seconds', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  const { fleet } = join(session, time);
  session.connect();
  await time.pass(5_000);
  ensemble.drop('/weir/edges/eu/a~00000001');
  await time.pass(5_000);
  assert.equal(ensemble.nodes.has('/weir/edges/eu/a~00000001'), true);
  fleet.close();
});

test('two edges of one name are both there, are both counted, and say so', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const [one, two] = [ensemble.session(), ensemble.session()];
  const first = join(one, time, 'a', '00000001');
  const second = join(two, time, 'a', '00000002');
  one.connect();
  two.connect();
  await time.pass(60_000);
  for (const { metrics, orders } of [first, second]) {
    assert.equal((await metrics.fleetClash.get()).values[0]?.value, 1);
    assert.equal(orders.at(-1)?.edges, 2);
  }
  first.fleet.close();
  second.fleet.close();
});

test('the API shows all edges, and while ZooKeeper is away that they are not known', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  const { fleet } = join(session, time);
  const away = (await fleet.view()) as { edges: unknown };
  assert.equal(away.edges, null);
  session.connect();
  await time.pass(1_000);
  const { self, edges } = (await fleet.view()) as { self: object; edges: { name: string; workers: number }[] };
  assert.deepEqual(self, { site: 'eu', name: 'a', run: '00000001', draining: false, edges_counted: 1 });
  assert.deepEqual(
    edges.map(({ name, workers }) => [name, workers]),
    [['a', 2]],
  );
  fleet.close();
});

test('after its end an edge does nothing more', async () => {
  const [ensemble, time] = [new FakeEnsemble(), clock()];
  const session = ensemble.session();
  const { fleet, orders } = join(session, time);
  session.connect();
  await time.pass(5_000);
  fleet.close();
  const writes = ensemble.asked.writes;
  ensemble.put(drain, '', undefined);
  session.suspend();
  session.connect();
  await time.pass(100_000);
  assert.equal(ensemble.asked.writes, writes);
  assert.equal(orders.length, 0);
  assert.equal(time.waiting, 0);
});
