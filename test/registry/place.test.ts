import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../../src/registry/place.js';
import { compilePattern } from '../../src/tree-pattern.js';

function place(pattern: string, path: string, channel?: string): string {
  const compiled = compilePattern(pattern, channel);
  assert.ok(typeof compiled !== 'string', String(compiled));
  const placed = placeOf(path, compiled);
  if (placed.kind === 'folder') return `folder ${placed.channel} ${placed.channelPath}`;
  if (placed.kind !== 'node') return placed.kind;
  return `${placed.level} ${placed.channel} ${placed.name} ${placed.channelPath}`;
}

test('a path is the node of a channel or of an endpoint, as the pattern of the tree says', () => {
  const table: readonly (readonly [pattern: string, path: string, expected: string, channel?: string])[] = [
    ['/channels/{channel}/{endpoint}', '/channels/news/a', 'endpoint news a /channels/news'],
    ['/channels/{channel}/{endpoint}', '/channels/news', 'channel news news /channels/news'],
    ['/channels/{channel}/{endpoint}', '/channels', 'above'],
    ['/channels/{channel}/{endpoint}', '/', 'above'],
    ['/channels/{channel}/{endpoint}', '/other/news', 'outside'],
    ['/channels/{channel}/{endpoint}', '/channels/news/a/b', 'outside'],
    ['/channels/{channel}/{endpoint}', '/channels/ne\u0001ws/a', 'misnamed'],
    ['/go_servers/{endpoint}', '/go_servers/10.0.0.1:80', 'endpoint news 10.0.0.1:80 /go_servers', 'news'],
    ['/go_servers/{endpoint}', '/go_servers', 'folder news /go_servers', 'news'],
    ['/dubbo/{channel}/providers/{endpoint}', '/dubbo/x/providers/y', 'endpoint x y /dubbo/x/providers'],
    ['/dubbo/{channel}/providers/{endpoint}', '/dubbo/x/providers', 'folder x /dubbo/x/providers'],
    ['/dubbo/{channel}/providers/{endpoint}', '/dubbo/x', 'above'],
    ['/dubbo/{channel}/providers/{endpoint}', '/dubbo/x/consumers/y', 'outside'],
    ['/{service}/{channel}', '/Live/Echo', 'channel Echo Echo /Live/Echo'],
    ['/{service}/{channel}', '/zookeeper/quota', 'outside'],
  ];
  for (const [pattern, path, expected, channel] of table) assert.equal(place(pattern, path, channel), expected, path);
});
