import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { follow } from '../../src/commands/follow.js';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../src/model.js';

const endpoint = (id: string, version = 0): Endpoint => ({
  id: id as EndpointId,
  channel: 'news' as ChannelName,
  address: '10.0.0.1:8080' as ServiceAddress,
  load: undefined,
  bitrate: undefined,
  packetLoss: undefined,
  version,
});

let seen: string[] = [];
beforeEach(() => {
  seen = [];
});
const follower = () =>
  follow({
    change: (change, { id, version }) => seen.push(`${change} ${id} ${version}`),
    warn: (text) => seen.push(text),
    status: (state, endpoints) => seen.push(`${state} ${endpoints.map(({ id }) => id).join(',')}`),
  });

test('a first full read adds, a later one tells only what differs', () => {
  const sink = follower();
  sink.replace([endpoint('a'), endpoint('b')]);
  sink.status('live');
  sink.status('stale');
  sink.replace([endpoint('b', 1), endpoint('c')]);
  assert.deepEqual(seen, [
    'added a 0',
    'added b 0',
    'live a,b',
    'stale a,b',
    'removed a 0',
    'changed b 1',
    'added c 0',
  ]);
});

test('a report that is known, and the drop of an unknown endpoint, are no changes', () => {
  const sink = follower();
  sink.put(endpoint('a', 2));
  sink.drop('b' as EndpointId);
  sink.drop('a' as EndpointId);
  sink.drop('a' as EndpointId);
  assert.deepEqual(seen, ['added a 2', 'removed a 2']);
});

test('a registry that lost its data counts from the beginning, and its reports are changes', () => {
  const sink = follower();
  sink.put(endpoint('a', 2));
  sink.put(endpoint('a', 0));
  sink.put({ ...endpoint('a', 0), address: '10.0.0.2:8080' as ServiceAddress });
  assert.deepEqual(seen, ['added a 2', 'changed a 0', 'changed a 0']);
});

test('that there is no such node is told', () => {
  const sink = follower();
  sink.note({ kind: 'missing', node: 'root', path: '/nothere' });
  sink.note({ kind: 'missing', node: 'chroot', path: '/channels' });
  assert.match(seen[0] ?? '', /no node \/nothere in ZooKeeper/);
  assert.match(seen[1] ?? '', /chroot\) does not exist there: is it mistyped in registry\.zookeeper\.servers/);
});
