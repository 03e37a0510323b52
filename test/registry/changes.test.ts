import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../src/model.js';
import { ChangeSink } from '../../src/registry/changes.js';

const endpoint = (id: string, load?: number, version = 0): Endpoint => ({
  id: id as EndpointId,
  channel: 'news' as ChannelName,
  address: 'o:80' as ServiceAddress,
  load,
  bitrate: undefined,
  packetLoss: undefined,
  version,
});

test('a new picture becomes what it added, changed and deleted', () => {
  const seen: string[] = [];
  const sink = new ChangeSink({ change: ({ kind, endpoint }) => seen.push(`${kind} ${endpoint.id}`) });
  sink.replace([endpoint('a'), endpoint('b', 0.5)]);
  sink.replace([endpoint('b', 0.6, 1), endpoint('c')]);
  sink.put(endpoint('c'));
  sink.drop('c' as EndpointId);
  sink.drop('c' as EndpointId);
  assert.deepEqual(seen, ['added a', 'added b', 'changed b', 'added c', 'deleted a', 'deleted c']);
  assert.deepEqual([...sink.endpoints.keys()], ['b']);
});
