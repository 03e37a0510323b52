// The TLS tunnel to ZooKeeper between sockets of this process: what outlives a server, and what waits.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Tunnel } from '../../src/registry/tls/tunnel.js';
import { makeCertificates } from '../support/certificates.js';
import { waitFor } from '../support/wait.js';

const certificates = makeCertificates();
certificates.sign('server', 'DNS:zookeeper.test');
after(() => certificates.remove());

const { path } = certificates;
const settings = { ca: path('ca.crt'), serverName: 'zookeeper.test' };
const deadline = 60_000;

async function listen(port: number, serve: (socket: TLSSocket) => void): Promise<Server> {
  const files = { key: readFileSync(path('server.key')), cert: readFileSync(path('server.crt')) };
  const server = createServer(files, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function openTunnel(t: TestContext, { port }: { readonly port: number }): Promise<Tunnel> {
  const tunnel = await Tunnel.open([{ host: '127.0.0.1', port }], settings, { isOwn: async () => true });
  t.after(() => tunnel.close());
  return tunnel;
}

async function connectTo(tunnel: Tunnel): Promise<Socket> {
  const socket = connect(Number(tunnel.connect.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** `once` would reject for a connection that is reset. */
const endOf = (socket: Socket) => new Promise<[]>((resolve) => socket.once('close', () => resolve([])));

/** What comes back for a text; undefined: the connection was closed. */
async function echo(tunnel: Tunnel, text: string): Promise<string | undefined> {
  const socket = await connectTo(tunnel);
  socket.write(text);
  const data = new Promise<[Buffer]>((resolve) => socket.once('data', (chunk) => resolve([chunk])));
  const [answer] = await Promise.race<[Buffer?]>([data, endOf(socket)]);
  socket.destroy();
  return answer?.toString();
}

test('the tunnel outlives its server: a client that connects again reaches the one that was started again', async (t) => {
  const sockets = new Set<TLSSocket>();
  const serve = (socket: TLSSocket) => {
    sockets.add(socket);
    socket.pipe(socket);
  };
  const first = await listen(0, serve);
  const { port } = first.address() as AddressInfo;
  const tunnel = await openTunnel(t, { port });
  const before = tunnel.connect;
  const client = await connectTo(tunnel);
  t.after(() => {
    for (const socket of [client, ...sockets]) socket.destroy();
  });
  client.write('a');
  assert.equal(String((await once(client, 'data'))[0]), 'a');

  const lost = endOf(client);
  const closed = once(first, 'close');
  first.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all([lost, closed]);
  assert.equal(await echo(tunnel, 'b'), undefined);
  assert.match(tunnel.problems, /refuses connections/);

  const second = await listen(port, serve);
  t.after(() => second.close());
  assert.equal(await echo(tunnel, 'c'), 'c');
  assert.equal(tunnel.problems, '');
  assert.equal(tunnel.connect, before);
});

const total = 64 * 1024 * 1024;
/** What the buffers of the sockets on the way may hold. */
const most = 40 * 1024 * 1024;

/** Writes all of it, each piece once the one before was taken. `taken`: bytes so far. */
function feed(socket: Socket): { taken: number } {
  const state = { taken: 0 };
  const piece = Buffer.alloc(65_536);
  const next = () => {
    socket.write(piece, (error) => {
      if (error) return;
      state.taken += piece.length;
      if (state.taken < total) next();
    });
  };
  next();
  return state;
}

/** Resolves when nothing more is taken for a while, or all was. */
async function standstill(state: { readonly taken: number }): Promise<void> {
  for (let still = 0, before = -1; still < 10 && state.taken < total; ) {
    still = state.taken > 0 && state.taken === before ? still + 1 : 0;
    before = state.taken;
    await sleep(20);
  }
}

for (const slow of ['server', 'client'] as const) {
  test(`the tunnel holds back what a slow ${slow} does not take, and loses none of it`, async (t) => {
    let remote: TLSSocket | undefined;
    const server = await listen(0, (socket) => {
      remote = socket.pause();
    });
    t.after(() => server.close());
    const tunnel = await openTunnel(t, server.address() as AddressInfo);
    const local = (await connectTo(tunnel)).pause();
    await waitFor(() => remote !== undefined, { deadline });
    assert.ok(remote !== undefined);
    const far = remote;
    t.after(() => {
      local.destroy();
      far.destroy();
    });
    const [from, to] = slow === 'server' ? [local, remote] : [remote, local];
    const fed = feed(from);
    await standstill(fed);
    assert.ok(fed.taken < most, `${fed.taken} bytes`);
    let arrived = 0;
    to.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
    }).resume();
    await waitFor(() => arrived === total, { deadline, what: 'all of it' });
    local.destroy();
  });
}
