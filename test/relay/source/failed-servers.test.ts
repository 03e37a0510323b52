import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId, ServiceAddress } from '../../../src/model.js';
import { serverOf } from '../../../src/net-address.js';
import { FailedServers } from '../../../src/relay/source/failed-servers.js';

const address = '10.0.0.1:8080' as ServiceAddress;
const first = 'a@1' as EndpointId;
const second = 'a@2' as EndpointId;

function failed(by: EndpointId): FailedServers {
  const servers = new FailedServers();
  servers.add(serverOf(address), by);
  return servers;
}

test('a server that failed stays failed while the same endpoint is registered, or none', () => {
  const servers = failed(first);
  servers.forgive([{ address, id: first }]);
  servers.forgive([]);
  assert.deepEqual(servers.list(), [serverOf(address)]);
});

test('a server that is registered anew is forgiven', () => {
  const servers = failed(first);
  servers.forgive([{ address, id: second }]);
  assert.deepEqual(servers.list(), []);
});

test('a server that fails again under its new endpoint is failed by that one', () => {
  const servers = failed(first);
  servers.add(serverOf(address), second);
  servers.forgive([{ address, id: second }]);
  assert.deepEqual(servers.list(), [serverOf(address)]);
});

test('another endpoint of the channel on the same server does not excuse the one that failed', () => {
  const servers = failed(first);
  servers.forgive([
    { address, id: first },
    { address, id: second },
  ]);
  assert.deepEqual(servers.list(), [serverOf(address)]);
});
