import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatName } from '../../src/config-schema/format-names.js';
import { channelFolder, defaultWriteTree, registrationTreeOf, writeTreeOf } from '../../src/registry/write-tree.js';

type Tree = string | { path: string; channel?: string; formats: 'auto' | FormatName[] };
const settings = (...trees: Tree[]) => ({ root: '/channels', trees: trees as never });
const folder = (trees: Tree[], named?: string) => channelFolder(writeTreeOf(settings(...trees), named), 'news');

const dubbo = '/dubbo/{channel}/providers/{endpoint}';

test('an endpoint is written where its place follows from its channel', () => {
  assert.equal(folder([]), '/channels/news');
  assert.equal(folder(['/live/{channel}/{endpoint}']), '/live/news');
  assert.equal(folder([dubbo]), '/dubbo/news/providers');
  assert.equal(folder(['/{channel}/{endpoint}']), '/news');
  // Trees that have no such place are no choice.
  const others: Tree[] = [
    { path: '/go_servers/{endpoint}', channel: 'news', formats: 'auto' },
    '/methods/{service}/{channel}',
    '/a/{service}/{channel}/{endpoint}',
    '/b/{channel}/{endpoint}/info',
  ];
  assert.equal(folder([...others, '/live/{channel}/{endpoint}']), '/live/news');
  assert.throws(() => folder(others), {
    name: 'OperatorError',
    message: /no tree that can be written to.*\/go_servers/,
  });
});

test('of several trees the one below root is taken, else one has to be named', () => {
  const both = ['/live/{channel}/{endpoint}', dubbo];
  assert.equal(folder([...both, '/channels/{channel}/{endpoint}']), '/channels/news');
  assert.equal(defaultWriteTree(settings(...both)), undefined);
  assert.throws(() => folder(both), { name: 'OperatorError', message: /say which by --tree: \/live.*, \/dubbo/ });
  assert.equal(folder(both, dubbo), '/dubbo/news/providers');
  assert.throws(() => folder(both, '/x/{channel}/{endpoint}'), /--tree \/x.*: the trees that are followed are \/live/);
  assert.throws(() => folder([...both, '/m/{service}/{channel}'], '/m/{service}/{channel}'), /no place in it follows/);
});

test('nothing is registered where it would not be read', () => {
  const tree = (formats: FormatName[]) => settings({ path: dubbo, formats });
  assert.throws(() => registrationTreeOf(tree(['dubbo'])), { name: 'OperatorError', message: /add weir to them/ });
  assert.equal(registrationTreeOf(tree(['dubbo', 'weir'])).suffix, '/providers');
});
