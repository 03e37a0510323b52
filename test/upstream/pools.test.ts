// Pools in front of real servers: how many there are, and when they go.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ServerOrigin } from '../../src/model.js';
import { peerServer } from '../../src/net-address.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint } from '../support/data-plane.js';
import { startedFor } from '../support/started.js';
import { ask } from '../support/upstream.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const { httpOrigin, upstream } = startedFor(cleanups);

const server = (address: string) => `http://${address}` as ServerOrigin;

test('the connections to a server go with its last endpoint, also when that only moved to another address', async () => {
  const { client, pools, register } = upstream();
  const origin = await httpOrigin((_request, response) => response.end('x'));
  let connections = 0;
  origin.server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
  });
  const [news, sport] = [endpoint('news', origin.address), endpoint('sport', origin.address)];
  register(news, sport);
  await ask(client, origin.address, '/');
  const moved = { ...news, address: endpoint('news', '127.0.0.1:1').address };
  const pool = pools.of(server(origin.address));
  register(moved, sport);
  assert.equal(pools.of(server(origin.address)), pool);
  assert.equal(connections, 1);
  register(moved, { ...sport, address: moved.address });
  await waitFor(() => connections === 0, { what: 'the connection is closed' });
});

suite('servers that nobody registered', () => {
  const guest = (n: number) => server(`127.0.0.1:${10_000 + n}`);

  test('have few pools: the least recently used that is idle goes', () => {
    const { pools } = upstream();
    const first = pools.of(guest(0));
    const others = Array.from({ length: 199 }, (_, n) => {
      pools.of(guest(0));
      return pools.of(guest(n + 1));
    });
    // The first one, which is used again and again, and 63 more.
    assert.equal(pools.of(guest(0)), first);
    assert.equal(pools.of(guest(199)), others[198]);
    assert.equal(pools.of(guest(137)), others[136]);
    assert.notEqual(pools.of(guest(136)), others[135]);
  });

  test('are refused when all of them are in use, and have room again when one is done', () => {
    const { pools } = upstream();
    const all = Array.from({ length: 64 }, (_, n) => pools.of(guest(n)));
    for (const pool of all) pool.enter();
    assert.throws(() => pools.of(guest(64)), { code: 'upstream_busy' });
    all[7]?.leave();
    pools.of(guest(64)).enter();
    assert.throws(() => pools.of(guest(65)), { code: 'upstream_busy' });
  });

  test('never push out one that is registered', () => {
    const { pools, register } = upstream();
    register(endpoint('news', '127.0.0.1:9'));
    const registered = pools.of(server('127.0.0.1:9'));
    for (let n = 0; n < 200; n += 1) pools.of(guest(n));
    assert.equal(pools.of(server('127.0.0.1:9')), registered);
  });
});

test('what workers take from each other is not counted as connections to an endpoint', () => {
  const { pools } = upstream({ connections: 2, peerConnections: 5 });
  const peer = peerServer('worker-1');
  pools.setPeers(new Map([[peer, { place: 'here', connector: () => () => undefined }]]));
  const pool = pools.of(peer);
  for (let n = 0; n < 5; n += 1) pool.enter();
  assert.throws(() => pool.enter(), { code: 'upstream_busy' });
  pools.setPeers(new Map());
  assert.throws(() => pools.of(peer), { code: 'worker_lost' });
});

test('a peer that has come back elsewhere has connections of its own', () => {
  const { pools } = upstream();
  const peer = peerServer('edge.b');
  const at = (place: string) => new Map([[peer, { place, connector: () => () => undefined }]]);
  pools.setPeers(at('10.0.0.1:8082'));
  const pool = pools.of(peer);
  pools.setPeers(at('10.0.0.1:8082'));
  assert.equal(pools.of(peer), pool);
  pools.setPeers(at('10.0.0.2:8082'));
  assert.notEqual(pools.of(peer), pool);
});
