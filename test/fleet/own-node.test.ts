import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeFolder } from '../../src/fleet/edge-paths.js';
import { decodeEdge, type EdgeRecord } from '../../src/fleet/edge-record.js';
import { OwnNode } from '../../src/fleet/own-node.js';
import { FleetError } from '../../src/fleet/session.js';
import { FakeEnsemble } from '../support/fake-ensemble.js';
import { HandClock } from '../support/hand-clock.js';

const base: EdgeRecord = {
  version: '0.1.0',
  workers: 2,
  started: '2026-01-01T00:00:00.000Z',
  players: 'http://edge-1:8080',
  viewers: 0,
  kbps: 0,
};
const inService = '/weir/edges/eu/edge-1~00000001';
const outOfService = '/weir/drained/eu/edge-1~00000001';

function setUp() {
  const ensemble = new FakeEnsemble();
  const session = ensemble.session();
  const clock = new HandClock();
  const failures: string[] = [];
  const now = { record: base, folder: 'edges' as EdgeFolder };
  const own = new OwnNode({
    session,
    root: '/weir',
    site: 'eu',
    node: { name: 'edge-1', run: '00000001' },
    record: () => now.record,
    folder: () => now.folder,
    failed: (reason) => failures.push(reason),
    clock,
  });
  const read = (path = inService) => decodeEdge(ensemble.nodes.get(path)?.data ?? '');
  return { ensemble, session, clock, failures, now, own, read };
}

test('an edge is registered as soon as there is a session, and in each one anew', async () => {
  const { ensemble, session, clock, read } = setUp();
  await clock.pass(10_000);
  assert.equal(ensemble.asked.writes, 0);
  session.connect();
  await clock.pass(0);
  assert.deepEqual(read(), base);
  session.lose();
  assert.equal(read(), undefined);
  session.connect();
  await clock.pass(0);
  assert.deepEqual(read(), base);
});

test('a session that came back writes what changed while it was away', async () => {
  const { session, clock, now, own, read } = setUp();
  session.connect();
  await clock.pass(0);
  session.suspend();
  now.record = { ...base, workers: 4 };
  own.check();
  await clock.pass(5_000);
  assert.equal(read()?.workers, 2);
  session.connect(false);
  await clock.pass(0);
  assert.equal(read()?.workers, 4);
});

test('a create or a write whose answer was lost is found again', async () => {
  const { ensemble, session, clock, now, own, read } = setUp();
  session.loseAnswers.add('create');
  session.connect();
  await clock.pass(1_000);
  now.record = { ...base, workers: 3 };
  session.loseAnswers.add('set');
  own.check();
  await clock.pass(3_000);
  now.record = { ...base, workers: 4 };
  own.check();
  await clock.pass(1_000);
  assert.equal(read()?.workers, 4);
  assert.equal(ensemble.paths.filter((path) => path.includes('~')).length, 1);
});

test('a node that the session before left behind does not stand in the way', async () => {
  const { ensemble, session, clock, read } = setUp();
  session.connect();
  await clock.pass(0);
  const node = ensemble.nodes.get(inService);
  assert.ok(node !== undefined);
  ensemble.nodes.set(inService, { ...node, owner: ensemble.session() });
  session.lose(false);
  session.connect();
  await clock.pass(0);
  assert.deepEqual(read(), base);
  assert.equal(ensemble.nodes.get(inService)?.owner, session);
});

test('viewers who come and go are written at a bounded rate', async () => {
  const { ensemble, session, clock, now, own, read } = setUp();
  session.connect();
  await clock.pass(0);
  const before = ensemble.asked.writes;
  for (let second = 1; second <= 60; second++) {
    now.record = { ...base, viewers: second * 1_000 };
    own.check();
    await clock.pass(1_000);
  }
  assert.ok(ensemble.asked.writes - before <= 12, `${ensemble.asked.writes - before} writes`);
  await clock.pass(60_000);
  assert.equal(read()?.viewers, 60_000);
});

test('an edge out of service leaves the list of edges, stays known, and comes back', async () => {
  const { ensemble, session, clock, now, own, read } = setUp();
  session.connect();
  await clock.pass(0);
  now.folder = 'drained';
  own.check();
  await clock.pass(0);
  assert.equal(ensemble.nodes.has(inService), false);
  assert.deepEqual(read(outOfService), base);
  now.folder = 'edges';
  own.check();
  await clock.pass(0);
  assert.equal(ensemble.nodes.has(outOfService), false);
  assert.deepEqual(read(), base);
});

test('a node that somebody removed is made again', async () => {
  const { ensemble, session, clock, own, read } = setUp();
  session.connect();
  await clock.pass(0);
  ensemble.drop(inService);
  own.missing();
  await clock.pass(0);
  assert.deepEqual(read(), base);
});

test('what ZooKeeper refuses is said and tried again after seconds, not at once', async () => {
  const { ensemble, session, clock, failures, read } = setUp();
  const create = session.create.bind(session);
  session.create = async (path) => {
    throw new FleetError('denied', `create ${path}`);
  };
  session.connect();
  await clock.pass(4_000);
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? '', /not authorized/);
  session.create = create;
  await clock.pass(2_000);
  assert.deepEqual(read(), base);
  assert.ok(ensemble.asked.writes > 0);
});

test('nothing is written after the end', async () => {
  const { ensemble, session, clock, own } = setUp();
  own.close();
  session.connect();
  await clock.pass(100_000);
  assert.equal(ensemble.asked.writes, 0);
  assert.equal(clock.waiting, 0);
});
