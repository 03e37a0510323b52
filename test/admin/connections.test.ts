import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Connections } from '../../src/admin/connections.js';
import { type AdminQueries, AdminServer } from '../../src/admin/server.js';
import { silentLogger } from '../../src/log.js';
import { emptySnapshot } from '../../src/snapshot/update.js';
import { waitFor } from '../support/wait.js';

/** A server that answers everything but `/hold`, with four places. */
async function serving(t: TestContext) {
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/hold') held.push(response);
    else response.end('well');
  });
  const connections = new Connections(server, 4);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  /** A connection that is kept. */
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const ask = async (path: string) => {
      text = '';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (path === '/hold') {
        await waitFor(() => held.some(({ socket: it }) => it?.remotePort === socket.localPort));
        return;
      }
      await waitFor(() => text.includes('well') || socket.destroyed, { what: 'an answer' });
      assert.ok(text.includes('well'), 'answered');
    };
    return { socket, ask };
  };
  return { connections, open, held };
}

test('a further connection is answered, and the one that was idle longest makes room', async (t) => {
  const { connections, open } = await serving(t);
  const first = await open();
  await first.ask('/');
  const others = [await open(), await open(), await open()];
  for (const other of others) await other.ask('/');
  await first.ask('/');
  const fifth = await open();
  await fifth.ask('/');
  await waitFor(() => others[0]?.socket.destroyed === true);
  assert.deepEqual(
    [first, ...others].map(({ socket }) => socket.destroyed),
    [false, true, false, false],
  );
  await first.ask('/');
  assert.equal(connections.size, 4);
});

test('readers who never end make room as well, the oldest first, when nobody is idle', async (t) => {
  const { open, connections } = await serving(t);
  const readers = [await open(), await open(), await open(), await open()];
  for (const reader of readers) await reader.ask('/hold');
  const probe = await open();
  await probe.ask('/');
  await waitFor(() => readers[0]?.socket.destroyed === true);
  assert.equal(readers[1]?.socket.destroyed, false);
  assert.equal(connections.size, 4);
});

test('connections that ask nothing keep nobody out', async (t) => {
  const { open, connections } = await serving(t);
  for (let i = 0; i < 20; i++) await open();
  await (await open()).ask('/');
  assert.equal(connections.size, 4);
});

test('a connection that ends leaves its place', async (t) => {
  const { open, connections, held } = await serving(t);
  const reader = await open();
  await reader.ask('/hold');
  const idle = await open();
  await idle.ask('/');
  reader.socket.destroy();
  idle.socket.destroy();
  await waitFor(() => connections.size === 0);
  held[0]?.end();
  assert.equal(connections.size, 0);
});

test('health and metrics are answered while others hold every place of the admin listener', async (t) => {
  const queries: AdminQueries = {
    snapshot: () => emptySnapshot,
    registry: () => 'awaited',
    sessions: () => undefined,
    draining: () => false,
    accepting: () => true,
    metrics: async () => ({ type: 'text/plain', text: 'up 1' }),
    explain: async () => ({}),
    views: {},
  };
  const admin = new AdminServer(queries, [], [], 3, silentLogger);
  const { port } = await admin.listen('127.0.0.1:0');
  t.after(() => admin.close());
  for (let i = 0; i < 10; i++) {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
  }
  for (const path of ['/healthz', '/metrics']) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) });
    assert.equal(answer.status, 200);
  }
});
