import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belowLine, explanationJson, explanationLines, isUsed } from '../../src/commands/explanation-lines.js';
import { explain, type NodeExplanation } from '../../src/registry/explanation.js';
import type { NodeState } from '../../src/registry/node-writes.js';
import { placeOf } from '../../src/registry/place.js';
import { compileTrees } from '../../src/registry/trees.js';

const [tree] = compileTrees([{ path: '/channels/{channel}/{endpoint}', formats: 'auto' }]);
assert.ok(tree);
const node = (path: string, data: string | object): NodeState => ({
  path,
  data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)),
  stat: { czxid: 7, ctime: 1, version: 3, mtime: 1, ephemeral: true, mine: false },
});

function explained(path: string, data: string | object, channel?: object, siblings: NodeState[] = []): NodeExplanation {
  const place = placeOf(path, tree?.pattern as never);
  assert.ok(place.kind === 'node' && tree !== undefined);
  const around = { channel: channel === undefined ? undefined : node('/channels/news', channel), siblings };
  return explain(place, tree, node(path, data), around);
}

test('a node is explained with what its channel says for it and what of it is unknown', () => {
  const said = { service_address: '10.0.0.1:80', load: 75, weight: 2, properties: { a: 'b\u001b' } };
  const one = explained('/channels/news/a', said, { zone: 'north', path: '/x', status: 'draining' });
  assert.deepEqual(explanationLines(one), [
    '/channels/news/a  ephemeral, version 3: registers',
    '  tree      /channels/{channel}/{endpoint}',
    '  channel   news',
    '  format    weir',
    '  endpoint  http://10.0.0.1:80/x  load -  loss -  -  draining  weight 2  zone north',
    '  unknown   load (above_one)',
    '  unknown   properties (malformed)',
    '  said by   /channels/news',
  ]);
  assert.ok(isUsed(one));
  assert.equal(belowLine(one), '  a  weir  http://10.0.0.1:80/x  unknown: load, properties');
});

test('what keeps an edge from a node is told, with the list and the bound', () => {
  const place = placeOf('/channels/news/a', tree.pattern);
  assert.ok(place.kind === 'node');
  const own = node('/channels/news/a', { service_address: 'o:80' });
  const bound = { setting: 'registry.maxEndpointsPerChannel', allows: 2, holds: 3 } as const;
  const leftOut = { reason: 'too_many', at: '/channels/news', bound } as const;
  const one = explain(place, tree, own, { channel: undefined, siblings: [], leftOut });
  const lines = explanationLines(one);
  assert.match(lines[0] ?? '', /is skipped: there are more nodes than an edge follows \(too_many\)$/);
  assert.match(lines.join('\n'), /list of +\/channels\/news\n.*3 nodes, and registry\.maxEndpointsPerChannel allows 2/);
  assert.deepEqual([isUsed(one), explanationJson(one).left_out], [false, leftOut]);
  const closed = explain(place, tree, { ...own, unreadable: 'no_auth' }, { channel: undefined, siblings: [] });
  assert.match(explanationLines(closed)[0] ?? '', /is skipped: the credentials may not read it \(no_auth\)$/);
});

test('the report that an endpoint names is told, with what it says for it', () => {
  const place = placeOf('/channels/news/a', tree.pattern);
  assert.ok(place.kind === 'node');
  const own = node('/channels/news/a', { service_address: 'o:80', load: 0.1, bitrate: 7, report: '/servers/a' });
  const told = (...reports: NodeState[]) => {
    const one = explain(place, tree, own, { channel: undefined, siblings: [], reports });
    const [endpoint] = one.endpoints;
    const lines = explanationLines(one).flatMap((line) => /^ {2}(?:report|unknown) +(.*)/.exec(line)?.[1] ?? []);
    return [endpoint?.load, endpoint?.bitrate, ...lines];
  };
  assert.deepEqual(told(node('/servers/a', { load: 0.6 })), [0.6, 7, '/servers/a']);
  assert.deepEqual(told(), [0.1, 7, '/servers/a (missing)']);
  assert.deepEqual(told(node('/servers/a', '{')), [undefined, undefined, '/servers/a (bad_json)']);
  assert.deepEqual(told(node('/servers/a', { load: 60 })), [undefined, 7, 'load (above_one)', '/servers/a']);
});

test('weights of siblings are told with the nodes that give them', () => {
  const vector = node('/channels/news/vector_1', { vector: [{ select: 'shard=0', weight: 3 }] });
  const member = { serviceEndpoint: { host: 'h', port: 80 }, status: 'ALIVE', shard: 0 };
  const one = explained('/channels/news/member_0', member, undefined, [vector]);
  assert.deepEqual([one.format, one.endpoints[0]?.weight, one.saidBy], ['serverset', 3, ['/channels/news/vector_1']]);
});

test('why a node is not used is said: its data, its status, that of its channel', () => {
  const table: readonly (readonly [path: string, data: string | object, channel: object | undefined, first: RegExp])[] =
    [
      ['/channels/news/a', 'hello', undefined, /is skipped: no format .* \(unknown_format\)$/],
      ['/channels/news/a', '', undefined, /is skipped: it says no address \(no_address\)$/],
      ['/channels/news/a', { service_address: 'x' }, undefined, /\(bad_address\)$/],
      [`/channels/news/${'1'.repeat(2_100)}:80`, '', undefined, /a name in its path is too long/],
      ['/channels/news/a', { service_address: 'o:80', status: 'off' }, undefined, /is not used/],
      ['/channels/news/a', 'o:80', { status: 'off' }, /is not used/],
    ];
  for (const [path, data, channel, first] of table) {
    const one = explained(path, data, channel);
    assert.match(explanationLines(one)[0] ?? '', first);
    assert.ok(!isUsed(one));
  }
  assert.deepEqual(explained('/channels/news/a', 'o:80', { status: 'off' }).ineligible, ['o:80']);
});

test("a channel's own data are defaults, an endpoint, or nothing", () => {
  assert.equal(explained('/channels/news', { load: 0.5 }).outcome, 'defaults');
  assert.equal(explained('/channels/news', '').outcome, 'folder');
  const own = explained('/channels/news', 'o:80');
  assert.deepEqual([own.outcome, own.endpoints.length], ['endpoints', 1]);
});

test('as JSON everything has a name, also what is not there', () => {
  const json = explanationJson(explained('/channels/news/a', 'hello'));
  assert.deepEqual(json, {
    path: '/channels/news/a',
    tree: '/channels/{channel}/{endpoint}',
    channel: 'news',
    level: 'endpoint',
    format: null,
    ephemeral: true,
    version: 3,
    outcome: 'skipped',
    reason: 'unknown_format',
    endpoints: [],
    not_eligible: [],
    unknown: [],
    said_by: [],
    reports: [],
    left_out: null,
  });
});
