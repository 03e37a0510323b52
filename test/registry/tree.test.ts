import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { RegistryNote } from '../../src/registry/registry.js';
import { Tree, type TreeChange } from '../../src/registry/tree.js';
import type { ChannelNode, TreeNode } from '../../src/registry/tree-node.js';
import type { Stat } from '../../src/registry/zookeeper-client.js';

let notes: RegistryNote[] = [];
let tree: Tree;
beforeEach(() => {
  notes = [];
  tree = new Tree('/channels', { endpoints: 6, endpointsPerChannel: 4 }, (note) => notes.push(note));
});

const stat = (czxid: number, version = 0, ephemeral = false): Stat => {
  return { czxid, ctime: czxid, version, mtime: version, ephemeral, mine: false };
};

function brief(changes: readonly TreeChange[]): string[] {
  return changes.map((change) => {
    if (change.kind === 'drop') return `drop ${change.id}`;
    const { id, address, load, bitrate, version } = change.endpoint;
    return `put ${id} ${address} ${load ?? '?'}/${bitrate ?? '?'} v${version}`;
  });
}

function addChannel(name: string): ChannelNode {
  const [channel] = tree.setChannels([...tree.channels.keys(), name]).added;
  assert.ok(channel);
  return channel;
}

function addChild(channel: ChannelNode, name: string): TreeNode {
  const [child] = tree.setChildren(channel, [...channel.children.keys(), name]).added;
  assert.ok(child);
  return child;
}

const set = (channel: ChannelNode, child: TreeNode | undefined, data: string, of: Stat) =>
  brief(tree.setData(channel, child, Buffer.from(data), of));

test('an endpoint is told when its data were read, and again with every version', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  assert.deepEqual(set(news, a, 'o:80', stat(0x1f)), ['put /channels/news/a@1f o:80 ?/? v0']);
  assert.deepEqual(set(news, a, 'o:80', stat(0x1f)), []);
  assert.deepEqual(set(news, a, 'o:80', stat(0x1f, 1)), ['put /channels/news/a@1f o:80 ?/? v1']);
});

test('a server that lost its data gives the same numbers again, and what it says is read', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  set(news, a, 'o:80', stat(5));
  const anew = { ...stat(5), ctime: 99, mtime: 99 };
  assert.deepEqual(set(news, a, 'o:81', anew), ['put /channels/news/a@5 o:81 ?/? v0']);
});

test('a node that is made again is another endpoint', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  set(news, a, 'o:80', stat(1));
  assert.deepEqual(set(news, a, 'o:80', stat(2)), ['drop /channels/news/a@1', 'put /channels/news/a@2 o:80 ?/? v0']);
});

test('data that become unreadable take the endpoint out, and back in when they are mended', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  set(news, a, 'o:80', stat(1));
  assert.deepEqual(set(news, a, '{nonsense', stat(1, 1)), ['drop /channels/news/a@1']);
  assert.deepEqual(set(news, a, 'o:81', stat(1, 2)), ['put /channels/news/a@1 o:81 ?/? v2']);
});

test("a channel's own data without an address are defaults, and changing them changes who uses them", () => {
  const news = addChannel('news');
  set(news, undefined, '{"load":0.5,"bitrate":1000}', stat(1));
  const a = addChild(news, 'a');
  const b = addChild(news, 'b');
  const c = addChild(news, 'c');
  assert.deepEqual(set(news, a, 'o:80', stat(2)), ['put /channels/news/a@2 o:80 0.5/1000 v0']);
  const own = '{"service_address":"o:81","load":0.1,"bitrate":1}';
  assert.deepEqual(set(news, b, own, stat(3)), ['put /channels/news/b@3 o:81 0.1/1 v0']);
  const broken = '{"service_address":"o:82","load":-1}';
  assert.deepEqual(
    set(news, c, broken, stat(4)),
    ['put /channels/news/c@4 o:82 ?/1000 v0'],
    'a broken load stays unknown',
  );
  assert.deepEqual(set(news, undefined, '{"load":0.7,"bitrate":1000}', stat(1, 1)), [
    'put /channels/news/a@2 o:80 0.7/1000 v1',
  ]);
  assert.deepEqual(set(news, b, own, stat(3, 1)), ['put /channels/news/b@3 o:81 0.1/1 v2']);
  assert.deepEqual(set(news, undefined, '', stat(1, 2)), [
    'put /channels/news/a@2 o:80 ?/? v2',
    'put /channels/news/c@4 o:82 ?/? v2',
  ]);
});

test('a channel may be an endpoint itself beside its children', () => {
  const news = addChannel('news');
  assert.deepEqual(set(news, undefined, 'o:79', stat(1)), ['put /channels/news@1 o:79 ?/? v0']);
  set(news, addChild(news, 'a'), 'o:80', stat(2));
  assert.deepEqual(
    [...tree.endpoints()].map(({ address }) => address),
    ['o:79', 'o:80'],
  );
  assert.deepEqual(brief(tree.setChannels([]).changes), ['drop /channels/news@1', 'drop /channels/news/a@2']);
});

test('children that are no longer listed are gone', () => {
  const news = addChannel('news');
  for (const [index, name] of ['a', 'b', 'c'].entries()) set(news, addChild(news, name), 'o:80', stat(index));
  const { added, changes } = tree.setChildren(news, ['b', 'd']);
  assert.deepEqual(brief(changes), ['drop /channels/news/a@0', 'drop /channels/news/c@2']);
  assert.deepEqual(
    added.map(({ name }) => name),
    ['d'],
  );
});

test('what is wrong is noted once an endpoint, however often it is reported, and takes no sibling down', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  const b = addChild(news, 'b');
  for (let version = 0; version < 100; version++) {
    set(news, a, 'no address', stat(1, version));
    assert.equal(set(news, b, '{"service_address":"o:80","load":75}', stat(2, version)).length, 1);
  }
  tree.setChannels(['news', 'bad\\name']);
  tree.setChannels(['news', 'bad\\name']);
  assert.deepEqual(notes, [
    { kind: 'skipped', reason: 'unknown_format', path: '/channels/news/a' },
    { kind: 'unknown_value', field: 'load', reason: 'above_one', path: '/channels/news/b' },
    { kind: 'skipped', reason: 'bad_channel_name', path: '/channels/bad\\name' },
  ]);
  set(news, a, '{', stat(1, 100));
  assert.equal(notes.length, 4, 'another reason');
  set(news, a, '{', stat(3));
  assert.equal(notes.length, 5, 'another endpoint');
});

test('what cannot be used now is counted by reason, and no longer when it is mended or gone', () => {
  const news = addChannel('news');
  const [a, b, c] = ['a', 'b', 'c'].map((name) => addChild(news, name)) as [TreeNode, TreeNode, TreeNode];
  set(news, a, 'no address', stat(1));
  set(news, b, '{"service_address":"o:80","load":75,"bitrate":"fast"}', stat(2));
  set(news, c, '{"service_address":"o:81","load":75}', stat(3));
  tree.setChannels(['news', 'bad\\name']);
  tree.setUnreadable(c, 'no_auth', 'data');
  assert.deepEqual(tree.census(), {
    skipped: { bad_channel_name: 1, unknown_format: 1, no_auth: 1 },
    unknown: { 'load above_one': 1, 'bitrate not_a_number': 1 },
  });
  set(news, a, 'o:82', stat(1, 1));
  set(news, c, '{"service_address":"o:81","load":75}', stat(3));
  tree.setChildren(news, ['a', 'c']);
  tree.setChannels(['news']);
  assert.deepEqual(tree.census(), { skipped: {}, unknown: { 'load above_one': 1 } });
});

test('a channel has as many endpoints as one may have: those it has, then the lowest names, then those for whom room is made', () => {
  const news = addChannel('news');
  assert.deepEqual(
    tree.setChildren(news, ['b', 'c']).added.map(({ name }) => name),
    ['b', 'c'],
  );
  assert.deepEqual(
    tree.setChildren(news, ['f', 'e', 'd', 'c', 'b', 'a']).added.map(({ name }) => name),
    ['a', 'd'],
  );
  assert.deepEqual(tree.census().skipped, { too_many: 2 });
  tree.setChildren(news, ['f', 'e', 'd', 'c', 'b', 'a']);
  assert.deepEqual(notes, [{ kind: 'skipped', reason: 'too_many', path: '/channels/news' }]);
  assert.deepEqual(
    tree.setChildren(news, ['f', 'e', 'd', 'c', 'b']).added.map(({ name }) => name),
    ['e'],
  );
});

test('all channels together have as many endpoints as there may be, and channels are bounded alike', () => {
  const [news, sport] = [addChannel('news'), addChannel('sport')];
  tree.setChildren(news, ['a', 'b', 'c', 'd']);
  assert.equal(tree.setChildren(sport, ['a', 'b', 'c', 'd']).added.length, 2);
  tree.setChildren(news, ['a']);
  assert.equal(tree.setChildren(sport, ['a', 'b', 'c', 'd']).added.length, 2);
  const channels = Array.from({ length: 100 }, (_, i) => `c${i}`);
  assert.equal(tree.setChannels(['news', 'sport', ...channels]).added.length, 4);
  assert.equal(tree.census().skipped['too_many'], 96);
});

test('names that no log and no snapshot should hold are left out and shown shortened', () => {
  const news = addChannel('news');
  assert.equal(tree.setChildren(news, ['a'.repeat(2_049), 'ö'.repeat(1_025), 'a'.repeat(2_048)]).added.length, 1);
  assert.deepEqual(tree.census().skipped, { bad_name: 2 });
  tree.setChannels(['news', 'x'.repeat(1_000_000)]);
  for (const note of notes) assert.ok('path' in note && note.path.length < 400);
});

test('100,000 children of one channel, and as many channels without a name, cost a few notes', () => {
  const news = addChannel('news');
  const names = Array.from({ length: 100_000 }, (_, i) => `${i}\\`);
  assert.equal(tree.setChildren(news, names).added.length, 4);
  tree.setChannels(['news', ...names]);
  tree.setChannels(['news', ...names]);
  assert.ok(notes.length <= 1_001, `${notes.length} notes`);
  assert.equal(tree.census().skipped['bad_channel_name'], 100_000);
  assert.equal(tree.removeChannel(news).length, 0);
});

test('paths are found, and only those of this tree', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  assert.equal(tree.find('/channels/news')?.channel, news);
  assert.equal(tree.find('/channels/news/a')?.child, a);
  for (const path of [
    '/channels',
    '/channels/',
    '/channels/x',
    '/channels/news/x',
    '/channels/news/a/b',
    '/other/news',
    '',
  ]) {
    assert.equal(tree.find(path), undefined, path);
  }
});

test('the watched bytes count every watch with its path, its length and the chroot', () => {
  const news = addChannel('news');
  addChild(news, 'a');
  const method = addChannel('öl');
  tree.setData(method, undefined, Buffer.from('o:80'), stat(3, 0, true));
  const paths = ['/channels', '/channels/news', '/channels/news', '/channels/news/a', '/channels/öl'];
  const expected = paths.reduce((sum, path) => sum + Buffer.byteLength(path) + 4 + 5, 0);
  assert.equal(tree.watchedBytes(5), expected);
});

const traitsNow = () =>
  [...tree.endpoints()].map(({ address, draining, weight, zone }) => ({ address, draining, weight, zone }));

test('what a channel says of status, weight, zone and path holds for the endpoints that say nothing', () => {
  const news = addChannel('news');
  set(news, undefined, '{"status":"draining","weight":2,"zone":"a","path":"/live/{channel}{rest}"}', stat(1));
  set(news, addChild(news, 'a'), '10.0.0.1:80', stat(2));
  set(news, addChild(news, 'b'), '{"service_address":"http://b:80/own","status":"live","weight":3,"zone":7}', stat(3));
  assert.deepEqual(traitsNow(), [
    { address: 'http://10.0.0.1:80/live/{channel}{rest}', draining: true, weight: 2, zone: 'a' },
    { address: 'http://b:80/own', draining: true, weight: 3, zone: undefined },
  ]);
});

test('endpoints that are off are no endpoints, and counted', () => {
  const news = addChannel('news');
  const [a, b] = [addChild(news, 'a'), addChild(news, 'b')];
  set(news, a, '{"service_address":"o:80","status":"off"}', stat(2));
  set(news, b, 'o:81', stat(3));
  assert.deepEqual(tree.census().skipped, { not_eligible: 1 });
  assert.deepEqual(set(news, undefined, '{"status":"off"}', stat(1)), ['drop /channels/news/b@3']);
  assert.deepEqual(tree.census().skipped, { not_eligible: 2 });
  set(news, undefined, '', stat(1, 1));
  set(news, a, '{"service_address":"o:80","status":"live"}', stat(2, 1));
  assert.deepEqual(tree.census().skipped, {});
  assert.equal(traitsNow().length, 2);
});

const member = (shard: number, port: number) =>
  JSON.stringify({ serviceEndpoint: { host: 'o', port }, status: 'ALIVE', shard });

test('siblings with weights multiply what they give to an endpoint, and take it back when they go', () => {
  const news = addChannel('news');
  set(news, addChild(news, 'member_1'), member(0, 80), stat(2));
  set(news, addChild(news, 'member_2'), member(1, 81), stat(3));
  const weights = () => [...tree.endpoints()].map(({ weight }) => weight);
  assert.deepEqual(weights(), [undefined, undefined]);
  const vector = addChild(news, 'vector_3');
  set(news, vector, '{"vector":[{"select":"shard=0","weight":2},{"select":"inet=o:80","weight":3}]}', stat(4));
  set(news, addChild(news, 'vector_4'), '{"vector":[{"select":"member=1","weight":0.5},{"select":"x"}]}', stat(5));
  assert.deepEqual(weights(), [3, undefined]);
  tree.setChildren(news, ['member_1', 'member_2', 'vector_3']);
  assert.deepEqual(weights(), [6, undefined]);
  set(news, vector, '{"vector":[{"select":"shard=1","weight":-2}]}', stat(4, 1));
  assert.deepEqual(weights(), [undefined, undefined]);
  assert.deepEqual(tree.census(), { skipped: {}, unknown: { 'weight negative': 1 } });
});

test('several endpoints in one node are told apart by their addresses, in whatever order they stand', () => {
  const news = addChannel('news');
  const list = (...hosts: string[]) => JSON.stringify(hosts.map((host) => ({ host, port: 80, weight: 1 })));
  assert.deepEqual(set(news, undefined, list('a', 'b'), stat(1)), [
    'put /channels/news#a:80@1 a:80 ?/? v0',
    'put /channels/news#b:80@1 b:80 ?/? v0',
  ]);
  assert.deepEqual(
    set(news, undefined, list('c', 'b'), stat(1, 1)).filter((change) => change.startsWith('drop')),
    ['drop /channels/news#a:80@1'],
  );
});
