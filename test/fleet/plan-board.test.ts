// Plans of channels in nodes: what is there is told, and written by compare-and-set.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BoardNews, nodeName, PlanBoard } from '../../src/fleet/plan-board.js';
import { FakeFleet, type FakeFleetSession } from '../support/fake-fleet.js';

const turns = () => new Promise(setImmediate);

function board(session: FakeFleetSession) {
  const wrote: string[] = [];
  const made = new PlanBoard({ session, folder: '/weir/hls', now: () => 0, wrote: (result) => wrote.push(result) });
  made.open();
  return { made, wrote };
}

function listen(made: PlanBoard, channel = 'news') {
  const heard: BoardNews[] = [];
  const end = made.watch(channel, (news) => heard.push(news));
  return { heard, end };
}

test('a channel without a plan, its first plan, and what another edge writes are told', async () => {
  const fleet = new FakeFleet();
  const [one, other] = [board(fleet.connect()), board(fleet.connect())];
  const [here, there] = [listen(one.made), listen(other.made)];
  await turns();
  assert.deepEqual(here.heard.at(-1), { available: true, version: -1, text: undefined });
  one.made.write('news', -1, 'first');
  await turns();
  const first = { available: true, version: 0, text: 'first' };
  assert.deepEqual([here.heard.at(-1), there.heard.at(-1)], [first, first]);
  other.made.write('news', 0, 'second');
  await turns();
  assert.deepEqual(here.heard.at(-1), { available: true, version: 1, text: 'second' });
  assert.deepEqual([...one.wrote, ...other.wrote], ['done', 'done']);
});

test('of two edges that write at once one is first, and both hear of that one', async () => {
  const fleet = new FakeFleet();
  const [one, other] = [board(fleet.connect()), board(fleet.connect())];
  const [here, there] = [listen(one.made), listen(other.made)];
  await turns();
  one.made.write('news', -1, 'one');
  other.made.write('news', -1, 'other');
  await turns();
  assert.deepEqual(here.heard.at(-1), there.heard.at(-1));
  assert.deepEqual([...one.wrote, ...other.wrote].sort(), ['done', 'lost']);
});

test('without a connection nothing can be agreed, and afterwards what is there is told again', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  const { made, wrote } = board(session);
  const { heard } = listen(made);
  await turns();
  session.news.tell({ kind: 'suspended' });
  assert.deepEqual(heard.at(-1), { available: false, version: -1, text: undefined });
  made.write('news', -1, 'text');
  await turns();
  assert.deepEqual(wrote, ['failed']);
  assert.equal(fleet.nodes.size, 0);
  session.news.tell({ kind: 'connected', fresh: false });
  await turns();
  assert.deepEqual(heard.at(-1), { available: true, version: -1, text: undefined });
});

test('who asks before there is a connection is told when there is one', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  const made = new PlanBoard({ session, folder: '/weir/hls', now: () => 0, wrote: () => undefined });
  const { heard } = listen(made);
  await turns();
  assert.equal(heard.length, 0);
  made.open();
  await turns();
  assert.equal(heard.at(-1)?.available, true);
});

test('a plan that is written too often is not written any more for a while', async () => {
  const fleet = new FakeFleet();
  const { made, wrote } = board(fleet.connect());
  const { heard } = listen(made);
  await turns();
  for (let count = 0; count < 60; count += 1) {
    made.write('news', count - 1, `plan ${count}`);
    await turns();
  }
  assert.equal(wrote.filter((result) => result === 'done').length, 40);
  assert.equal(fleet.nodes.get('/weir/hls/news')?.version, 39);
  assert.equal(heard.at(-1)?.available, false);
});

test('a channel that nobody watches any more is not watched in ZooKeeper', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  const { made } = board(session);
  const [one, other] = [listen(made), listen(made)];
  assert.deepEqual(session.watched, ['data /weir/hls/news']);
  one.end?.();
  assert.deepEqual(session.watched, ['data /weir/hls/news']);
  other.end?.();
  assert.deepEqual(session.watched, []);
  assert.equal(made.size, 0);
});

test('any name of a channel is one name of a node', () => {
  const names = ['news', 'a/b', '.', '..', 'a.b', 'a%2Fb', 'ä', ' '];
  const nodes = names.map(nodeName);
  assert.equal(new Set(nodes).size, names.length);
  for (const node of nodes) assert.match(node, /^[^/.]+$/);
});
