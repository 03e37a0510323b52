import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exceededBounds, followedNames, leftOut, listedNames, type Names } from '../../src/registry/left-out.js';
import { countNodes } from '../../src/registry/tree-count.js';
import { seeNames, seeNode } from '../../src/registry/tree-reads.js';
import { compileTrees } from '../../src/registry/trees.js';
import { rc, type ZooKeeperClient } from '../../src/registry/zookeeper-client.js';
import { compilePattern } from '../../src/tree-pattern.js';

const pattern = (text: string, channel?: string) => {
  const compiled = compilePattern(text, channel);
  assert.ok(typeof compiled !== 'string');
  return compiled;
};
const limits = { endpoints: 10, endpointsPerChannel: 2 };
const long = 'n'.repeat(2_049);

test('the lists in which a path was found are those of its variables', () => {
  const folders = (path: string, text: string, channel?: string) =>
    listedNames(path, pattern(text, channel)).map(({ folder, name }) => `${folder} ${name}`);
  assert.deepEqual(folders('/channels/news/a', '/channels/{channel}/{endpoint}'), [
    '/channels news',
    '/channels/news a',
  ]);
  assert.deepEqual(folders('/channels/news', '/channels/{channel}/{endpoint}'), ['/channels news']);
  assert.deepEqual(folders('/dubbo/x/providers/a', '/dubbo/{channel}/providers/{endpoint}'), [
    '/dubbo x',
    '/dubbo/x/providers a',
  ]);
  assert.deepEqual(folders('/a', '/{endpoint}', 'news'), ['/ a']);
  assert.deepEqual(folders('/s/m', '/{service}/{channel}'), ['/ s', '/s m']);
});

test('a node is left out for the first list that does not have it', () => {
  const why = (lists: Record<string, Names>, path = '/channels/news/c') => {
    const left = leftOut(path, pattern('/channels/{channel}/{endpoint}'), new Map(Object.entries(lists)), limits);
    return left === undefined ? undefined : [left.reason, left.at, left.bound?.setting];
  };
  const channels = ['news', 'sport'];
  assert.equal(why({ '/channels': channels, '/channels/news': ['b', 'c'] }), undefined);
  // Deleted meanwhile: the lists say nothing of it.
  assert.equal(why({ '/channels': [], '/channels/news': [] }), undefined);
  assert.deepEqual(why({ '/channels': 'no_auth', '/channels/news': 'no_auth' }), ['no_auth', '/channels', undefined]);
  assert.deepEqual(why({ '/channels': channels, '/channels/news': 'unreadable' })?.slice(0, 2), [
    'unreadable',
    '/channels/news',
  ]);
  const perChannel = 'registry.maxEndpointsPerChannel';
  assert.deepEqual(why({ '/channels': channels, '/channels/news': ['c', 'b', 'a'] }), [
    'too_many',
    '/channels/news',
    perChannel,
  ]);
  const many = ['zz', ...Array.from({ length: 10 }, (_, at) => `a${at}`)];
  assert.deepEqual(why({ '/channels': many, '/channels/zz': ['c'] }, '/channels/zz/c'), [
    'too_many',
    '/channels',
    'registry.zookeeper.maxEndpoints',
  ]);
  // What no edge follows takes the place of nobody.
  assert.equal(why({ '/channels': channels, '/channels/news': [long, `${long}2`, 'c', 'b'] }), undefined);
  const tooLong = { '/channels': channels, '/channels/news': [long, 'a', 'b', 'c'] };
  assert.deepEqual(why(tooLong, `/channels/news/${long}`)?.[0], 'bad_name');
});

test('of a list too long, those with the lowest names are followed', () => {
  const { followed, bound } = followedNames(['c', 'b', 'a'], { folder: '/x', variable: 'endpoint' }, limits);
  assert.deepEqual([...followed].sort(), ['a', 'b']);
  assert.deepEqual(bound, { setting: 'registry.maxEndpointsPerChannel', allows: 2, holds: 3 });
  assert.equal(followedNames(['b', 'a'], { folder: '/x', variable: 'endpoint' }, limits).bound, undefined);
});

/** The tree as nested objects; a text is why a node cannot be read. */
type Fake = { readonly [name: string]: Fake | 'no_auth' };

function clientOf(tree: Fake): ZooKeeperClient {
  const at = (path: string) =>
    path
      .split('/')
      .filter((name) => name !== '')
      .reduce<Fake | 'no_auth' | undefined>((node, name) => (typeof node === 'object' ? node[name] : node), tree);
  const codeOf = (path: string) => (at(path) === undefined ? rc.noNode : at(path) === 'no_auth' ? rc.noAuth : rc.ok);
  const stat = { czxid: 1, ctime: 1, version: 1, mtime: 1, ephemeral: false, mine: false };
  const client: Pick<ZooKeeperClient, 'children' | 'get' | 'exists' | 'sync'> = {
    children: (path, _, done) => done(codeOf(path), Object.keys(at(path) === 'no_auth' ? {} : (at(path) ?? {}))),
    get: (path, _, done) => done(codeOf(path), new Uint8Array(), codeOf(path) === rc.ok ? stat : undefined),
    exists: (path, _, done) =>
      done(at(path) === undefined ? rc.noNode : rc.ok, at(path) === undefined ? undefined : stat),
    sync: (_, done) => done(rc.ok),
  };
  return client as ZooKeeperClient;
}

test('all trees are counted together, and a channel in all of them', async () => {
  const client = clientOf({
    channels: { news: { a: {}, b: {} }, sport: { c: {} } },
    more: { news: { providers: { d: {} } }, closed: 'no_auth' },
    methods: { s: { news: {}, other: {} } },
    fixed: { e: {} },
  });
  const trees = compileTrees([
    { path: '/channels/{channel}/{endpoint}', formats: 'auto' },
    { path: '/more/{channel}/providers/{endpoint}', formats: 'auto' },
    { path: '/methods/{service}/{channel}', formats: 'auto' },
    { path: '/fixed/{endpoint}', channel: 'news', formats: 'auto' },
  ]);
  const counted = await countNodes(client, trees, 'news');
  assert.deepEqual(counted, { endpoints: 5, folders: 7, ofChannel: 5 });
  assert.deepEqual(
    exceededBounds({ endpoints: 5, folders: 7, ofChannel: 5 }, { endpoints: 6, endpointsPerChannel: 4 }),
    [
      { setting: 'registry.zookeeper.maxEndpoints', allows: 6, holds: 7 },
      { setting: 'registry.maxEndpointsPerChannel', allows: 4, holds: 5 },
    ],
  );
});

test('what the credentials may not read is a finding, no error', async () => {
  const client = clientOf({ channels: { news: 'no_auth' } });
  assert.equal(await seeNames(client, '/channels/news'), 'no_auth');
  assert.equal((await seeNode(client, '/channels/news'))?.unreadable, 'no_auth');
  assert.equal(await seeNode(client, '/channels/gone'), undefined);
});
