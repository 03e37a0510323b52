import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { openListeningSocket } from '../../src/cluster/listening-socket.js';

test('the socket has an address before anybody accepts, and serves who accepts from it', async (t) => {
  const socket = await openListeningSocket('127.0.0.1:0');
  t.after(() => socket.close());
  assert.equal(socket.address.address, '127.0.0.1');
  assert.ok(socket.address.port > 0);

  const server = createServer((player) => player.end('hello'));
  server.listen(socket.handle);
  await once(server, 'listening');
  t.after(() => server.close());
  const player = connect(socket.address.port, '127.0.0.1').setEncoding('utf8');
  const [text] = await once(player, 'data');
  assert.equal(text, 'hello');
  player.destroy();
});

for (const [listen, address] of [
  [':0', /^(::|0\.0\.0\.0)$/],
  ['[::1]:0', /^::1$/],
  ['localhost:0', /^(127\.0\.0\.1|::1)$/],
] as const) {
  test(`${listen} is bound`, async () => {
    const socket = await openListeningSocket(listen);
    assert.match(socket.address.address, address);
    socket.close();
  });
}

test('an address that is in use is refused at once, with the code of the system', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await assert.rejects(openListeningSocket(`127.0.0.1:${port}`), { code: 'EADDRINUSE', message: /EADDRINUSE/ });
});

test('an address of another machine is refused', async () => {
  await assert.rejects(openListeningSocket('192.0.2.1:0'), { code: 'EADDRNOTAVAIL' });
});

test('what is no address is refused', async () => {
  await assert.rejects(openListeningSocket('eighty'), /not an address to listen on: eighty/);
});
