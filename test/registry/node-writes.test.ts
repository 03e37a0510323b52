// Nodes are written only as they were read, and what is made belongs to whoever made it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conflict, makeFolders, protectNode, readNode, removeNode, writeNode } from '../../src/registry/node-writes.js';
import type { ZooKeeperClient } from '../../src/registry/zookeeper-client.js';
import { FakeZooKeeper } from '../support/fake-zookeeper.js';

async function withNode(data: string): Promise<{ zookeeper: FakeZooKeeper; client: ZooKeeperClient }> {
  const zookeeper = new FakeZooKeeper();
  const client = zookeeper.connect();
  await makeFolders(client, ['/channels'], undefined);
  await writeNode(client, '/channels/news', data, 'absent');
  return { zookeeper, client };
}

const isConflict = (expected: number | 'absent', current: string | undefined) => (error: unknown) => {
  assert.ok(error instanceof Conflict);
  assert.equal(error.expected, expected);
  assert.equal(error.current && Buffer.from(error.current.data).toString(), current);
  assert.equal(error.exitCode, 3);
  return true;
};

test('what somebody changed since it was read is not overwritten, and the conflict has what they wrote', async () => {
  const { zookeeper, client } = await withNode('a');
  await writeNode(client, '/channels/news', 'theirs', 0);
  await assert.rejects(writeNode(client, '/channels/news', 'ours', 0), isConflict(0, 'theirs'));
  await assert.rejects(writeNode(client, '/channels/news', 'ours', 'absent'), isConflict('absent', 'theirs'));
  await assert.rejects(removeNode(client, '/channels/news', 0), isConflict(0, 'theirs'));
  assert.equal(zookeeper.nodes.get('/channels/news')?.data, 'theirs');
  assert.equal(await writeNode(client, '/channels/news', 'ours', 1), 2);
});

test('what somebody removed since it was read is not made again', async () => {
  const { zookeeper, client } = await withNode('a');
  await removeNode(client, '/channels/news', 0);
  await assert.rejects(writeNode(client, '/channels/news', 'ours', 0), isConflict(0, undefined));
  await assert.rejects(removeNode(client, '/channels/news', 0), isConflict(0, undefined));
  assert.equal(zookeeper.nodes.has('/channels/news'), false);
});

test('a node is not removed with what is below it', async () => {
  const { zookeeper, client } = await withNode('a');
  await assert.rejects(removeNode(client, '/channels', 0), /delete \/channels: there are nodes below it/);
  assert.ok(zookeeper.nodes.has('/channels/news'));
});

test('a read comes after a sync, so that it sees what others wrote before', async () => {
  const { zookeeper, client } = await withNode('a');
  zookeeper.calls.length = 0;
  await readNode(client, '/channels/news');
  await readNode(client, '/channels/none');
  assert.deepEqual(zookeeper.calls, [
    ...['sync /channels/news', 'get /channels/news'],
    ...['sync /channels/none', 'get /channels/none'],
  ]);
});

test('folders are protected from the root on, each before anything is made in it, and what was there keeps its rights', async () => {
  const zookeeper = new FakeZooKeeper();
  const client = zookeeper.connect();
  await makeFolders(client, ['/live', '/live/channels'], { from: 1 });
  await makeFolders(client, ['/live', '/live/channels', '/live/channels/news'], { from: 0 });
  assert.deepEqual(zookeeper.open, ['/live']);
  const protecting = zookeeper.calls.indexOf('protect /live/channels');
  assert.ok(protecting >= 0 && protecting < zookeeper.calls.indexOf('create /live/channels/news'));
});

test('whoever makes a node in a folder before it is protected is told of', async () => {
  const { client } = await withNode('a');
  await assert.rejects(
    protectNode(client, '/channels'),
    /\/channels: somebody made news in it before it was protected/,
  );
});

test('a write whose answer is lost says that it may have been done', async () => {
  const { zookeeper, client } = await withNode('a');
  zookeeper.losses.push({ call: 'set /channels/news', when: 'after' });
  await assert.rejects(
    writeNode(client, '/channels/news', 'b', 0),
    /the connection was lost; it may have been done or not/,
  );
});
