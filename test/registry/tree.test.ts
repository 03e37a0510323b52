import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { RegistryNote } from '../../src/registry/registry.js';
import type { TreeChange } from '../../src/registry/republish.js';
import { Tree } from '../../src/registry/tree.js';
import type { ChannelNode, FolderNode, TreeNode } from '../../src/registry/tree-node.js';
import { TreeRoom } from '../../src/registry/tree-room.js';
import type { Stat } from '../../src/registry/zookeeper-client.js';
import { compilePattern, type TreePattern } from '../../src/tree-pattern.js';

let notes: RegistryNote[] = [];
let tree: Tree;
const treeOf = (text: string, channel?: string, room = new TreeRoom({ endpoints: 6, endpointsPerChannel: 4 })) =>
  new Tree(compilePattern(text, channel) as TreePattern, room, (note) => notes.push(note));
/** The channels of a tree whose base is their folder. */
const setChannels = (names: readonly string[]) => tree.setFolder(tree.base as FolderNode, names);
const census = () => {
  const found = { skipped: {} as Record<string, number>, unknown: {} };
  assert.ok([...tree.census(found)].length > 0);
  return found;
};
beforeEach(() => {
  notes = [];
  tree = treeOf('/channels/{channel}/{endpoint}');
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
  const [channel] = setChannels([...tree.base.children.keys(), name]).channels;
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
  assert.deepEqual(brief(setChannels([]).changes), ['drop /channels/news@1', 'drop /channels/news/a@2']);
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
  setChannels(['news', 'bad\\name']);
  setChannels(['news', 'bad\\name']);
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
  setChannels(['news', 'bad\\name']);
  tree.setUnreadable(c, 'no_auth');
  assert.deepEqual(census(), {
    skipped: { bad_channel_name: 1, unknown_format: 1, no_auth: 1 },
    unknown: { 'load above_one': 1, 'bitrate not_a_number': 1 },
  });
  set(news, a, 'o:82', stat(1, 1));
  set(news, c, '{"service_address":"o:81","load":75}', stat(3));
  tree.setChildren(news, ['a', 'c']);
  setChannels(['news']);
  assert.deepEqual(census(), { skipped: {}, unknown: { 'load above_one': 1 } });
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
  assert.deepEqual(census().skipped, { too_many: 2 });
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
  assert.equal(setChannels(['news', 'sport', ...channels]).channels.length, 4);
  assert.equal(census().skipped['too_many'], 96);
});

test('names that no log and no snapshot should hold are left out and shown shortened', () => {
  const news = addChannel('news');
  assert.equal(tree.setChildren(news, ['a'.repeat(2_049), 'ö'.repeat(1_025), 'a'.repeat(2_048)]).added.length, 1);
  assert.deepEqual(census().skipped, { bad_name: 2 });
  setChannels(['news', 'x'.repeat(1_000_000)]);
  for (const note of notes) assert.ok('path' in note && note.path.length < 400);
});

test('100,000 children of one channel, and as many channels without a name, cost a few notes', () => {
  const news = addChannel('news');
  const names = Array.from({ length: 100_000 }, (_, i) => `${i}\\`);
  assert.equal(tree.setChildren(news, names).added.length, 4);
  setChannels(['news', ...names]);
  setChannels(['news', ...names]);
  assert.ok(notes.length <= 1_001, `${notes.length} notes`);
  assert.equal(census().skipped['bad_channel_name'], 100_000);
  assert.equal(tree.remove(news).changes.length, 0);
});

test('paths are found, and only those of this tree', () => {
  const news = addChannel('news');
  const a = addChild(news, 'a');
  assert.deepEqual(tree.find('/channels'), { folder: tree.base });
  assert.deepEqual(tree.find('/channels/news'), { channel: news, child: undefined });
  assert.deepEqual(tree.find('/channels/news/a'), { channel: news, child: a });
  const others = [
    '/channels/',
    '/channels/x',
    '/channels/news/x',
    '/channels/news/a/b',
    '/channelsx',
    '/other/news',
    '/',
    '',
  ];
  for (const path of others) assert.equal(tree.find(path), undefined, path);
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
  assert.deepEqual(census().skipped, { not_eligible: 1 });
  assert.deepEqual(set(news, undefined, '{"status":"off"}', stat(1)), ['drop /channels/news/b@3']);
  assert.deepEqual(census().skipped, { not_eligible: 2 });
  set(news, undefined, '', stat(1, 1));
  set(news, a, '{"service_address":"o:80","status":"live"}', stat(2, 1));
  assert.deepEqual(census().skipped, {});
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
  assert.deepEqual(census(), { skipped: {}, unknown: { 'weight negative': 1 } });
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

test('very many channels share what they do not need yet', () => {
  const [news, sport] = [addChannel('news'), addChannel('sport')];
  assert.equal(news.children, sport.children);
  assert.equal(news.vectors, sport.vectors);
  const a = addChild(news, 'vector_1');
  tree.setChildren(sport, []);
  assert.deepEqual([[...news.children.values()], sport.children.size], [[a], 0]);
  set(news, a, '{"vector":[{"select":"shard=0","weight":2}]}', stat(1));
  assert.deepEqual([news.vectors.size, sport.vectors.size], [1, 0]);
});

const listOf = (...hosts: string[]) => JSON.stringify(hosts.map((host) => ({ host, port: 80, weight: 1 })));
const addresses = () => [...tree.endpoints()].map(({ address }) => address);

test('a list in one node counts as all the endpoints in it', () => {
  const [news, sport] = [addChannel('news'), addChannel('sport')];
  set(news, undefined, listOf('a', 'b', 'c', 'd', 'e'), stat(1));
  assert.deepEqual(addresses(), ['a:80', 'b:80', 'c:80', 'd:80'], 'four are the most of a channel');
  assert.deepEqual(census().skipped, { too_many: 1 });
  assert.deepEqual(notes, [{ kind: 'skipped', reason: 'too_many', path: '/channels/news' }]);
  assert.equal(tree.setChildren(news, ['x']).added.length, 0, 'the channel is full');

  set(sport, undefined, listOf('f', 'g', 'h'), stat(2));
  assert.deepEqual(addresses().slice(4), ['f:80', 'g:80'], 'six are the most of all');
  assert.deepEqual(census().skipped, { too_many: 3 });
  assert.equal(tree.setChildren(sport, ['x']).added.length, 0, 'the tree is full');
});

test('endpoints of a list that had no room get it when others go, at the next look at the node', () => {
  const [news, sport] = [addChannel('news'), addChannel('sport')];
  set(news, undefined, listOf('a', 'b', 'c', 'd'), stat(1));
  set(sport, undefined, listOf('e', 'f', 'g'), stat(2));
  tree.clearData(news, news);
  assert.deepEqual(set(sport, undefined, listOf('e', 'f', 'g'), stat(2)), ['put /channels/sport#g:80@2 g:80 ?/? v0']);
  set(news, undefined, listOf('a', 'b', 'c', 'd'), stat(1, 1));
  assert.deepEqual(addresses(), ['a:80', 'b:80', 'c:80', 'e:80', 'f:80', 'g:80']);
  setChannels(['news']);
  set(news, undefined, listOf('a', 'b', 'c', 'd'), stat(1, 2));
  assert.equal(addresses().length, 4, 'a channel that is gone holds no room');
  assert.deepEqual(census().skipped, {});
});

test('where channels have no nodes below them, the first endpoint of a list is counted with its node', () => {
  tree = treeOf('/upstreams/{channel}');
  const news = addChannel('news');
  set(news, undefined, listOf('a', 'b', 'c', 'd', 'e'), stat(1));
  assert.deepEqual(addresses(), ['a:80', 'b:80', 'c:80', 'd:80']);
  set(news, undefined, listOf('a'), stat(1, 1));
  assert.deepEqual(census().skipped, {});
  set(news, undefined, listOf('a', 'b', 'c', 'd'), stat(1, 2));
  assert.equal(addresses().length, 4);
});

const pathsOf = (nodes: readonly { readonly path: string }[]) => nodes.map(({ path }) => path);

test('fixed names below a variable belong to its node, and other variables make folders', () => {
  const dubbo = treeOf('/dubbo/{channel}/providers/{endpoint}');
  const [live] = dubbo.setFolder(dubbo.base as FolderNode, ['com.x.Live']).channels as [ChannelNode];
  assert.equal(live.path, '/dubbo/com.x.Live/providers');
  assert.equal(live.channel, 'com.x.Live');
  assert.deepEqual(dubbo.find('/dubbo/com.x.Live/providers'), { channel: live, child: undefined });
  assert.equal(dubbo.find('/dubbo/com.x.Live'), undefined);

  const services = treeOf('/{service}/{channel}/{endpoint}');
  const root = services.base as FolderNode;
  const { folders, channels } = services.setFolder(root, ['video', 'zookeeper']);
  assert.deepEqual([pathsOf(folders), channels], [['/video'], []], '/zookeeper is never read');
  const [news] = services.setFolder(folders[0] as FolderNode, ['news']).channels as [ChannelNode];
  const [a] = services.setChildren(news, ['o:80']).added as [TreeNode];
  assert.deepEqual(services.find('/video/news/o:80'), { channel: news, child: a });
  services.setData(news, a, Buffer.from(''), stat(1));
  const { gone, changes } = services.setFolder(root, []);
  assert.deepEqual([gone, brief(changes)], [[news], ['drop /video/news/o:80@1']]);
});

test('a tree of one channel has its endpoints directly below its base', () => {
  const go = treeOf('/go_servers/{endpoint}', 'news');
  const base = go.base as ChannelNode;
  const [a] = go.setChildren(base, ['10.0.0.1:80']).added as [TreeNode];
  go.setData(base, a, Buffer.from(''), stat(7));
  assert.deepEqual(
    [...go.endpoints()].map(({ id, channel, address }) => [id, channel, address]),
    [['/go_servers/10.0.0.1:80@7', 'news', '10.0.0.1:80']],
  );
  const root = treeOf('/{endpoint}', 'news');
  assert.deepEqual(pathsOf(root.setChildren(root.base as ChannelNode, ['zookeeper', 'o:81']).added), ['/o:81']);
});

test('a channel in several trees has the limits of one, and the endpoints of all trees count together', () => {
  const room = new TreeRoom({ endpoints: 6, endpointsPerChannel: 4 });
  const [one, other] = [treeOf('/a/{endpoint}', 'news', room), treeOf('/b/{channel}', undefined, room)];
  assert.equal(one.setChildren(one.base as ChannelNode, ['1', '2', '3']).added.length, 3);
  const folder = other.base as FolderNode;
  assert.equal(other.setFolder(folder, ['news', 'sport']).channels.length, 2);
  const third = treeOf('/c/{service}/{channel}', undefined, room);
  const { folders } = third.setFolder(third.base as FolderNode, ['x']);
  const { channels } = third.setFolder(folders[0] as FolderNode, ['news', 'films']);
  assert.deepEqual(
    channels.map(({ channel }) => channel),
    ['films'],
  );
  one.setChildren(one.base as ChannelNode, ['1']);
  assert.equal(third.setFolder(folders[0] as FolderNode, ['news', 'films']).channels.length, 1, 'there is room again');
});
