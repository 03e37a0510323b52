// The election, without a server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Election, type Leader, watchLeader } from '../../src/fleet/election.js';
import { FakeFleet, type FakeFleetSession } from '../support/fake-fleet.js';

const folder = '/weir/elections/a';
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

function stand(session: FakeFleetSession, data: string) {
  const news: (string | undefined)[] = [];
  return { news, election: new Election({ session, folder, data, changed: (token) => news.push(token) }) };
}

test('one leads, the next takes over when its session is lost, and it stands again behind', async () => {
  const fleet = new FakeFleet();
  const [one, two] = [fleet.connect(), fleet.connect()];
  const a = stand(one, 'a');
  await turns();
  const b = stand(two, 'b');
  await turns();
  assert.deepEqual([a.election.isLeader(), b.election.isLeader()], [true, false]);
  const before = a.election.token;
  one.lose();
  await turns();
  assert.deepEqual([a.election.isLeader(), b.election.isLeader()], [false, true]);
  assert.deepEqual(a.news, [before, undefined]);
  assert.ok(BigInt(b.election.token ?? 0) > BigInt(before ?? 0));
  await b.election.close();
  await turns();
  assert.equal(a.election.isLeader(), true);
  await a.election.close();
  assert.deepEqual(fleet.below(folder), []);
  assert.equal(b.news.at(-1), undefined);
});

test('a leader that stood still knows before it is told', async () => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  const a = stand(session, 'a');
  await turns();
  session.alive = false;
  assert.equal(a.election.isLeader(), false);
  assert.equal(a.election.token, undefined);
});

test('who watches is told of each leader once, and of none', async () => {
  const fleet = new FakeFleet();
  const leaders: (Leader | undefined)[] = [];
  const end = watchLeader(fleet.connect(), folder, (leader) => leaders.push(leader));
  await turns();
  const [one, two] = [fleet.connect(), fleet.connect()];
  const a = stand(one, 'a');
  await turns();
  const b = stand(two, 'b');
  await turns();
  await a.election.close();
  await turns();
  await b.election.close();
  await turns();
  assert.deepEqual(
    leaders.map((leader) => leader?.data),
    [undefined, 'a', 'b', undefined],
  );
  end();
});
