import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeList } from '../../src/fleet/edge-list.js';
import { FleetError } from '../../src/fleet/session.js';
import { FakeEnsemble } from '../support/fake-ensemble.js';
import { HandClock } from '../support/hand-clock.js';

const node = (name: string, at: number) => `${name}~${at.toString(16).padStart(8, '0')}`;

function setUp() {
  const ensemble = new FakeEnsemble();
  const session = ensemble.session();
  const clock = new HandClock();
  let changes = 0;
  const list = new EdgeList({ session, root: '/weir', clock, changed: () => changes++ });
  const names = () => Object.fromEntries([...list.sites].map(([site, edges]) => [site, edges.map(({ name }) => name)]));
  return { ensemble, session, clock, list, names, changes: () => changes };
}

test('the edges of all sites are known, and what is there besides is not counted', async () => {
  const { ensemble, session, clock, list, names } = setUp();
  ensemble.put(`/weir/edges/eu/${node('a', 1)}`, '', undefined);
  ensemble.put(`/weir/edges/us/${node('b', 2)}`, '', undefined);
  ensemble.put(`/weir/edges/us/${node('b', 3)}`, '', undefined);
  ensemble.put('/weir/edges/us/notes', '', undefined);
  session.connect();
  await clock.pass(0);
  assert.deepEqual(names(), { eu: ['a'], us: ['b', 'b'] });
  assert.equal(list.size, 3);
  assert.equal(list.isCurrent, true);
});

test('an edge or a site that comes or goes is seen', async () => {
  const { ensemble, session, clock, names } = setUp();
  session.connect();
  await clock.pass(0);
  ensemble.put(`/weir/edges/eu/${node('a', 1)}`, '', undefined);
  await clock.pass(20_000);
  assert.deepEqual(names(), { eu: ['a'] });
  ensemble.put(`/weir/edges/eu/${node('b', 2)}`, '', undefined);
  await clock.pass(20_000);
  assert.deepEqual(names(), { eu: ['a', 'b'] });
  ensemble.drop(`/weir/edges/eu/${node('a', 1)}`);
  ensemble.drop(`/weir/edges/eu/${node('b', 2)}`);
  ensemble.drop('/weir/edges/eu');
  await clock.pass(20_000);
  assert.deepEqual(names(), {});
});

test('while the session is away what was seen last is held, and it is said that it may be old', async () => {
  const { ensemble, session, clock, list, names, changes } = setUp();
  ensemble.put(`/weir/edges/eu/${node('a', 1)}`, '', undefined);
  session.connect();
  await clock.pass(0);
  const before = changes();
  session.suspend();
  assert.equal(changes(), before + 1);
  ensemble.drop(`/weir/edges/eu/${node('a', 1)}`);
  await clock.pass(60_000);
  assert.deepEqual(names(), { eu: ['a'] });
  assert.equal(list.isCurrent, false);
  session.connect(false);
  await clock.pass(0);
  assert.deepEqual(names(), { eu: [] });
  assert.equal(list.isCurrent, true);
});

test('a thousand edges that come within seconds are read a few times, not a thousand', async () => {
  const { ensemble, session, clock, list } = setUp();
  session.connect();
  await clock.pass(0);
  for (let i = 0; i < 1_000; i++) {
    ensemble.put(`/weir/edges/eu/${node(`e${i}`, i)}`, '', undefined);
    await clock.pass(10);
  }
  await clock.pass(20_000);
  assert.equal(list.size, 1_000);
  assert.ok(ensemble.asked.lists < 60, `${ensemble.asked.lists} lists`);
});

test('a list that cannot be read is read again after seconds', async () => {
  const { ensemble, session, clock, list } = setUp();
  ensemble.put(`/weir/edges/eu/${node('a', 1)}`, '', undefined);
  const children = session.children.bind(session);
  session.children = async (path) => {
    throw new FleetError('denied', `list ${path}`);
  };
  session.connect();
  await clock.pass(4_000);
  assert.equal(list.isCurrent, false);
  session.children = children;
  await clock.pass(7_000);
  assert.equal(list.size, 1);
});

test('nothing is read, and no timer runs, after the end', async () => {
  const { ensemble, session, clock, list } = setUp();
  session.connect();
  await clock.pass(0);
  list.close();
  const before = { ...ensemble.asked };
  ensemble.put(`/weir/edges/eu/${node('a', 1)}`, '', undefined);
  session.suspend();
  session.connect();
  await clock.pass(60_000);
  assert.deepEqual(ensemble.asked.lists, before.lists);
  assert.equal(clock.waiting, 0);
});
