// Many endpoints over one session of ZooKeeper: how they come, change and leave.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ChannelName } from '../../src/model.js';
import { registrarOf } from '../../src/registrar/registrar.js';
import { SessionKeeper } from '../../src/registrar/zookeeper.js';
import type { ClientEvents } from '../../src/registry/zookeeper-client.js';
import { FakeZooKeeper } from '../support/fake-zookeeper.js';
import { waitFor } from '../support/wait.js';

const settings = {
  servers: '127.0.0.1:1',
  place: { base: '/channels', suffix: '' },
  sessionTimeout: 60_000,
  credentials: undefined,
  prefix: 'origin-',
};

function start(t: TestContext) {
  const zookeeper = new FakeZooKeeper();
  const sessions: ClientEvents[] = [];
  const logger = { info() {}, warn() {}, error() {} };
  const connect = (_: unknown, events: ClientEvents) => {
    sessions.push(events);
    return zookeeper.connect();
  };
  const keeper = new SessionKeeper(connect, settings, logger);
  t.after(() => keeper.close());
  /** The session is made. */
  const connected = async () => {
    await waitFor(() => sessions.length === 1);
    sessions[0]?.connect();
  };
  /** All data below the channels, sorted. */
  const standing = () =>
    [...zookeeper.nodes].flatMap(([path, { data }]) => (path.includes('/origin-') ? [data] : [])).sort();
  return { zookeeper, keeper, sessions, connected, standing };
}

const channel = (name: string) => name as ChannelName;

test('many channels are registered over one session, and each leaves by itself', async (t) => {
  const { keeper, sessions, connected, standing } = start(t);
  const names = Array.from({ length: 50 }, (_, i) => `c${String(i).padStart(2, '0')}`);
  const kept = names.map((name) => keeper.keep(channel(name), name));
  await connected();
  await Promise.all(kept.map(({ made }) => made));
  assert.deepEqual(standing(), names);
  kept[0]?.remove();
  kept[1]?.write('other');
  await waitFor(() => standing().length === 49 && standing().at(-1) === 'other');
  const late = keeper.keep(channel('late'), 'late');
  await late.made;
  assert.equal(standing().length, 50);
  assert.equal(sessions.length, 1);
});

test('a channel that is registered again before it left stands there once', async (t) => {
  const { keeper, connected, standing } = start(t);
  await connected();
  const first = keeper.keep(channel('news'), 'a');
  await first.made;
  first.remove();
  keeper.keep(channel('news'), 'b');
  await waitFor(() => standing().join() === 'b');
});

test('what left while ZooKeeper was never reached leaves nothing behind', async (t) => {
  const { zookeeper, keeper, connected } = start(t);
  for (let i = 0; i < 100; i++) keeper.keep(channel(`c${i}`), 'x').remove();
  await connected();
  await keeper.keep(channel('last'), 'x').made;
  assert.ok(zookeeper.calls.every((call) => call.includes('/channels/last') || call.endsWith(' /channels')));
});

test('a node whose making was not confirmed is found and taken out', async (t) => {
  const { zookeeper, keeper, connected, standing } = start(t);
  zookeeper.losses.push({ call: 'create /channels/news/origin-', when: 'after' });
  const kept = keeper.keep(channel('news'), 'x');
  await connected();
  await waitFor(() => zookeeper.losses.length === 0);
  kept.remove();
  await waitFor(() => zookeeper.calls.some((call) => call.startsWith('remove ')) && standing().length === 0);
});

test('what is taken out while the connection is lost is gone once it is back', async (t) => {
  const { keeper, sessions, connected, standing } = start(t);
  await connected();
  const kept = keeper.keep(channel('news'), 'x');
  await kept.made;
  sessions[0]?.connecting();
  kept.remove();
  assert.deepEqual(standing(), ['x']);
  sessions[0]?.connect();
  await waitFor(() => standing().length === 0);
});

test('a channel has one endpoint of a registrar, and may have another after it was taken out', async (t) => {
  const { keeper, connected, standing } = start(t);
  await connected();
  const registrar = registrarOf(keeper);
  const first = registrar.register('news', { address: '10.0.0.1:80', load: 0.5 });
  assert.throws(() => registrar.register('news', { address: '10.0.0.2:80' }), /registered already/);
  first.close();
  first.update({ load: 0.6 });
  const second = registrar.register('news', { address: '10.0.0.2:80' });
  second.update({ load: 0.25 });
  first.close();
  await waitFor(() => standing().join() === '{"service_address":"10.0.0.2:80","load":0.25}');
});

test('a report has one name for good: after a lost session its node is made anew in the place of the old one', async (t) => {
  const { zookeeper, keeper, sessions, connected } = start(t);
  const kept = keeper.report('/servers', 'a', '1');
  await connected();
  await kept.made;
  const node = () => zookeeper.nodes.get('/servers/a');
  assert.equal(node()?.data, '1');
  const first = node();
  kept.write('2');
  await waitFor(() => node()?.data === '2');
  sessions[0]?.close('expired');
  await waitFor(() => sessions.length === 2);
  sessions[1]?.connect();
  await waitFor(() => node() !== undefined && node()?.session !== first?.session && node()?.data === '2');
  assert.deepEqual(zookeeper.below('/servers'), ['a']);
});
