// What is registered when answers are lost, where a real server cannot be made to lose the one that matters.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EphemeralNode } from '../../src/registrar/ephemeral-node.js';
import { channelFolder } from '../../src/registry/write-tree.js';
import { rc } from '../../src/registry/zookeeper-client.js';
import { FakeZooKeeper } from '../support/fake-zookeeper.js';
import { waitFor } from '../support/wait.js';

const origin = '/channels/news/origin-';

const channels = { base: '/channels', suffix: '' };

function registering(t: TestContext, credentials?: string, first = '10.0.0.1:80', place = channels) {
  const warnings: string[] = [];
  const logger = { info() {}, warn: (_: object, message: string) => void warnings.push(message), error() {} };
  const settings = { base: place.base, folder: channelFolder(place, 'news'), prefix: 'origin-', credentials };
  const node = new EphemeralNode(settings, first, logger);
  t.after(() => node.end());
  return { node, warnings };
}

const data = (zookeeper: FakeZooKeeper) =>
  zookeeper.below('/channels/news').map((name) => zookeeper.nodes.get(`/channels/news/${name}`)?.data);

for (const lost of [
  [`create ${origin}`],
  [`create ${origin}`, `exists ${origin}0000000000`],
  [`exists ${origin}0000000000`],
]) {
  test(`one node is made although an answer is lost: ${lost.join(', then ')}`, async (t) => {
    const zookeeper = new FakeZooKeeper();
    for (const call of lost) zookeeper.losses.push({ call, when: 'after' });
    const { node } = registering(t);
    node.attach(zookeeper.connect(), true);
    await node.made;
    node.write('10.0.0.1:81');
    await waitFor(() => data(zookeeper).some((each) => each === '10.0.0.1:81'));
    assert.deepEqual(data(zookeeper), ['10.0.0.1:81']);
  });
}

test('with credentials the root, the channel and the endpoint are protected, and nothing above the root', async (t) => {
  const zookeeper = new FakeZooKeeper();
  const { node, warnings } = registering(t, 'origin:secret');
  node.attach(zookeeper.connect(), true);
  await node.made;
  assert.deepEqual([...zookeeper.nodes.keys()], ['/channels', '/channels/news', `${origin}0000000000`]);
  assert.deepEqual(zookeeper.open, []);
  assert.deepEqual(warnings, []);
});

for (const path of ['/channels', '/channels/news', `${origin}0000000000`]) {
  test(`protecting ${path} is sent again when it was lost`, async (t) => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.losses.push({ call: `protect ${path}`, when: 'before' });
    const { node } = registering(t, 'origin:secret');
    const client = zookeeper.connect();
    node.attach(client, true);
    await waitFor(() => zookeeper.losses.length === 0);
    node.detach();
    node.attach(client, false);
    await waitFor(() => zookeeper.nodes.size === 3 && zookeeper.open.length === 0);
    await node.made;
    assert.equal(zookeeper.below('/channels/news').length, 1);
  });
}

test('a channel that others made keeps its rights, and that it is open is told', async (t) => {
  const zookeeper = new FakeZooKeeper();
  const other = registering(t);
  other.node.attach(zookeeper.connect(), true);
  await other.node.made;
  const { node, warnings } = registering(t, 'origin:secret');
  node.attach(zookeeper.connect(), true);
  await node.made;
  assert.deepEqual(zookeeper.open, ['/channels', '/channels/news', `${origin}0000000000`]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /everybody may delete/);
});

test('an answer that is lost without a word of the session is asked for again', async (t) => {
  const zookeeper = new FakeZooKeeper();
  zookeeper.losses.push({ call: 'exists /channels/news', when: 'before' });
  const { node } = registering(t);
  node.attach(zookeeper.connect(), true);
  await node.made;
  assert.equal(zookeeper.below('/channels/news').length, 1);
});

test('the node of a session that lives on is removed when the next session has its own', async (t) => {
  const zookeeper = new FakeZooKeeper();
  const { node } = registering(t);
  node.attach(zookeeper.connect(), true);
  await node.made;
  zookeeper.losses.push({ call: `create ${origin}`, when: 'before' });
  node.detach();
  node.attach(zookeeper.connect(), true);
  await waitFor(() => zookeeper.below('/channels/news').join() === 'origin-0000000002');
});

async function someoneSets(zookeeper: FakeZooKeeper, path: string, value: string): Promise<void> {
  const node = zookeeper.nodes.get(path);
  const before = JSON.parse(node?.data ?? '') as object;
  const text = JSON.stringify({ ...before, ...(JSON.parse(value) as object) });
  const version = node?.version ?? 0;
  assert.equal(await new Promise((resolve) => zookeeper.connect().set(path, text, version, resolve)), rc.ok);
}

const endpoint = (load: number, more = '') => `{"service_address":"10.0.0.1:80","load":${load}${more}}`;

test('a status that somebody else set stays over reports, and when the node has to be made again', async (t) => {
  const zookeeper = new FakeZooKeeper();
  const { node } = registering(t, undefined, endpoint(0.1));
  node.attach(zookeeper.connect(), true);
  await node.made;
  await someoneSets(zookeeper, node.path, '{"status":"draining"}');
  node.touched(node.path);
  node.write(endpoint(0.9));
  await waitFor(() => data(zookeeper).join() === endpoint(0.9, ',"status":"draining"'));
  zookeeper.nodes.delete(node.path);
  node.touched(node.path);
  await waitFor(() => data(zookeeper).join() === endpoint(0.9, ',"status":"draining"'));
  // It stands there before its maker hears of its name.
  await waitFor(() => zookeeper.nodes.has(node.path));
  await someoneSets(zookeeper, node.path, '{"status":"live"}');
  node.write(endpoint(0.3));
  await waitFor(() => data(zookeeper).join() === endpoint(0.3, ',"status":"live"'));
});

test('what somebody else writes at the same moment as a report is not overwritten', async (t) => {
  const zookeeper = new FakeZooKeeper();
  const { node } = registering(t, undefined, endpoint(0.1));
  const client = zookeeper.connect();
  let others = 0;
  node.attach(
    {
      ...client,
      set(path, text, version, done) {
        if (others++ > 0) return client.set(path, text, version, done);
        // Between the look at the node and the write.
        void someoneSets(zookeeper, path, '{"status":"draining"}').then(() => client.set(path, text, version, done));
      },
    },
    true,
  );
  await node.made;
  node.write(endpoint(0.9));
  await waitFor(() => data(zookeeper).join() === endpoint(0.9, ',"status":"draining"'));
});

for (const [base, suffix, parents] of [
  ['/dubbo', '/providers', ['/dubbo', '/dubbo/news', '/dubbo/news/providers']],
  ['/a/b', '', ['/a', '/a/b', '/a/b/news']],
  ['/', '', ['/news']],
] as const) {
  test(`in the tree ${base} {channel}${suffix} an endpoint is made with all that is above it`, async (t) => {
    const zookeeper = new FakeZooKeeper();
    const { node } = registering(t, undefined, '10.0.0.1:80', { base, suffix });
    node.attach(zookeeper.connect(), true);
    await node.made;
    assert.equal(node.path, `${parents.at(-1)}/origin-0000000000`);
    for (const parent of parents) assert.ok(zookeeper.nodes.has(parent), parent);
  });
}
