// Upgrades in front of real servers, as one request like any other: what the player and the retries make of it is tested where
// WebSockets pass through.

import assert from 'node:assert/strict';
import net, { type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { WeirError } from '../../src/errors.js';
import type { ServerOrigin } from '../../src/model.js';
import type { ClientObserver } from '../../src/upstream/client.js';
import { Destinations } from '../../src/upstream/destinations.js';
import { createUpgradeClient } from '../../src/upstream/upgrade.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { startedFor } from '../support/started.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const { rawOrigin } = startedFor(cleanups);

const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Report: 1\r\n\r\n';

/** Asks for an upgrade; what is heard is collected. */
function upgrade(
  address: string,
  settings: { firstByteTimeout?: number; idleTimeout?: number } = {},
  observer: ClientObserver = {},
  { reads = true } = {},
) {
  const player = new PassThrough();
  const tools = {
    destinations: new Destinations(['127.0.0.0/8']),
    settings: { connectTimeout: 5_000, firstByteTimeout: 5_000, idleTimeout: 5_000, ...settings },
    observer,
  };
  const heard: (string | number)[] = [];
  const exchange = createUpgradeClient(tools, player).send(
    {
      server: `http://${address}` as ServerOrigin,
      path: '/live/news.flv?a=1',
      method: 'GET',
      headers: { 'x-own': '1' },
    },
    {
      onResponse: (status) => heard.push(status),
      onData: (chunk) => heard.push(chunk.toString()) > 0 && reads,
      onEnd: () => heard.push('end'),
      onError: ({ code }: WeirError) => heard.push(code),
    },
  );
  cleanups.push(() => exchange.abort());
  return { player, heard, exchange };
}

test('is asked for under the path and with the fields that are given, and what both sides send goes through', async () => {
  let asked = '';
  let endpoint: Socket | undefined;
  const origin = await rawOrigin((socket) => {
    socket.on('data', (chunk) => {
      if (endpoint === undefined) socket.write(`${accepted}first`);
      endpoint = socket;
      asked += chunk.toString();
    });
  });
  const { player, heard } = upgrade(origin.address);
  player.write('early');
  await waitFor(() => asked.endsWith('early'), { what: 'what the player said' });
  assert.match(asked, /^GET \/live\/news\.flv\?a=1 HTTP\/1\.1\r\n/);
  assert.match(asked, /\r\nx-own: 1\r\n/);
  assert.match(asked, new RegExp(`\r\nHost: ${origin.address}\r\n`));
  await waitFor(() => heard.length === 2, { what: 'the first bytes' });
  assert.deepEqual(heard, [101, 'first']);
  endpoint?.end('last');
  await waitFor(() => heard.includes('end'), { what: 'the end' });
  assert.deepEqual(heard.join(' '), '101 first last end');
});

test('the header of the answer is told to whoever reads the reports of endpoints', async () => {
  const told: unknown[] = [];
  const origin = await rawOrigin((socket) => socket.once('data', () => socket.write(accepted)));
  const { heard } = upgrade(
    origin.address,
    {},
    { onHeaders: (server, fields) => told.push([server, fields['x-report']]) },
  );
  await waitFor(() => heard.length > 0, { what: 'the answer' });
  assert.deepEqual(told, [[`http://${origin.address}`, '1']]);
});

test('a connection for which this machine has nothing left is nobody else’s failure, and is told', async (t) => {
  const told: string[] = [];
  t.mock.method(net.Socket.prototype, 'connect', function connect(this: Socket) {
    Object.assign(this, { connecting: true });
    setImmediate(() => this.destroy(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' })));
    return this;
  });
  const { heard } = upgrade('127.0.0.1:9', {}, { onExhausted: ({ message }) => told.push(message) });
  await waitFor(() => heard.length > 0, { what: 'the error' });
  assert.deepEqual(heard, ['exhausted']);
  assert.deepEqual(told, ['This edge has no file descriptor, port or memory left (EMFILE).']);
});

test('a refusal of which nothing but the header comes is late like any other answer', async () => {
  const origin = await rawOrigin((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n'));
  });
  const { heard } = upgrade(origin.address, { firstByteTimeout: 100, idleTimeout: 600_000 });
  await waitFor(() => heard.at(-1) === 'upstream_first_byte_timeout', { what: 'the error' });
});

test('the body of a refusal is not late while the player takes its time, and is while the endpoint does', async () => {
  const origin = await rawOrigin((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nn'));
  });
  const slow = upgrade(origin.address, { idleTimeout: 100 }, {}, { reads: false });
  await waitFor(() => slow.heard.at(-1) === 'n', { what: 'the first byte' });
  // Its time begins later, and is over all the same.
  const silent = upgrade(origin.address, { idleTimeout: 200 });
  await waitFor(() => silent.heard.at(-1) === 'upstream_idle_timeout', { what: 'the error' });
  assert.deepEqual(slow.heard, [403, 'n']);
  slow.exchange.resume();
  await waitFor(() => slow.heard.at(-1) === 'upstream_idle_timeout', { what: 'the error after the pause' });
});

test('an address outside the allowed networks is not connected to', async () => {
  const { heard } = upgrade('192.0.2.1:80');
  assert.deepEqual(heard, []);
  await waitFor(() => heard.length > 0, { what: 'the error' });
  assert.deepEqual(heard, ['address_refused']);
});

test('ends its connection when nobody wants it any more', async () => {
  let open = 0;
  const origin = await rawOrigin((socket) => {
    open += 1;
    socket.on('close', () => {
      open -= 1;
    });
    socket.once('data', () => socket.write(accepted));
  });
  const { heard, exchange } = upgrade(origin.address);
  await waitFor(() => heard.length > 0, { what: 'the answer' });
  exchange.abort();
  await waitFor(() => open === 0, { what: 'the endpoint sees it' });
  assert.deepEqual(heard, [101]);
});

test('an endpoint whose host vanishes without a word is noticed by the kernel', async (t) => {
  const asked: unknown[][] = [];
  t.mock.method(net.Socket.prototype, 'setKeepAlive', function setKeepAlive(this: Socket, ...given: unknown[]) {
    asked.push(given);
    return this;
  });
  const origin = await rawOrigin((socket) => socket.on('data', () => socket.write(accepted)));
  const { heard } = upgrade(origin.address);
  await waitFor(() => heard[0] === 101, { what: 'the upgrade' });
  assert.deepEqual(asked, [[true, 60_000]]);
});
