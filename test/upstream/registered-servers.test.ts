import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, ServerOrigin } from '../../src/model.js';
import { RegisteredServers } from '../../src/upstream/registered-servers.js';
import { endpoint } from '../support/data-plane.js';

const server = (n: number) => `http://10.0.0.${n}:80` as ServerOrigin;
const at = (channel: string, n: number, values: Partial<Endpoint> = {}) =>
  endpoint(channel, `10.0.0.${n}:80`, { id: `${channel}/x` as Endpoint['id'], ...values });

test('a server is there while one endpoint of any channel is, whatever they report', () => {
  const servers = new RegisteredServers();
  assert.deepEqual(servers.apply({ put: [at('a', 1), at('b', 1)], drop: [] }), []);
  for (let version = 2; version < 5; version++) servers.apply({ put: [at('a', 1, { version })], drop: [] });
  assert.deepEqual(servers.apply({ put: [], drop: [at('a', 1)] }), []);
  assert.equal(servers.has(server(1)), true);
  assert.deepEqual(servers.apply({ put: [], drop: [at('b', 1)] }), [server(1)]);
  assert.equal(servers.has(server(1)), false);
});

test('an endpoint that moves leaves its old server, be the old address among what is dropped or not', () => {
  const servers = new RegisteredServers();
  servers.apply({ put: [at('a', 1)], drop: [] });
  assert.deepEqual(servers.apply({ put: [at('a', 2)], drop: [at('a', 1)] }), [server(1)]);
  assert.deepEqual(servers.apply({ put: [at('a', 3)], drop: [] }), [server(2)]);
  assert.equal(servers.has(server(3)), true);
});

test('a server that one endpoint leaves and another comes to in the same update stays', () => {
  const servers = new RegisteredServers();
  servers.apply({ put: [at('a', 1)], drop: [] });
  assert.deepEqual(servers.apply({ put: [at('b', 1)], drop: [at('a', 1)] }), []);
});

test('an endpoint that nobody knows is dropped without harm', () => {
  assert.deepEqual(new RegisteredServers().apply({ put: [], drop: [at('a', 1)] }), []);
});
