// One process that steps back from a socket: players wait in it, and go on when the process may take more.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { openListeningSocket } from '../../src/cluster/listening-socket.js';
import { backlog, Intake } from '../../src/http/intake.js';
import { waitFor } from '../support/wait.js';

/** An HTTP server on a socket of which there is a second copy, as if another process had it too. */
async function shared(t: { after(end: () => void): void }) {
  const socket = await openListeningSocket('127.0.0.1:0');
  const server = createServer({ headersTimeout: 1_500, connectionsCheckingInterval: 50 }, (_, response) => {
    response.end('hello');
  });
  const intake = new Intake(server);
  server.listen(socket.handle, backlog);
  await once(server, 'listening');
  const players: Socket[] = [];
  const player = async () => {
    const one = connect(socket.address.port, '127.0.0.1').setEncoding('latin1');
    players.push(one);
    one.on('error', () => undefined);
    await once(one, 'connect');
    return one;
  };
  t.after(() => {
    for (const one of players) one.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { server, intake, player };
}

test('it takes what it may, tells when it has that, and leaves those who are there alone', async (t) => {
  const { server, intake, player } = await shared(t);
  let full = 0;
  intake.onFull = () => {
    full += 1;
  };
  intake.allow(2, undefined);
  const first = await player();
  await waitFor(() => intake.state.open === 1);
  assert.deepEqual([intake.state.accepting, full], [true, 0]);
  await player();
  await waitFor(() => intake.state.open === 2);
  assert.deepEqual([intake.state.accepting, full], [false, 1]);
  first.write('GET / HTTP/1.1\r\nHost: edge\r\n\r\n');
  assert.match((await once(first, 'data'))[0], /^HTTP\/1\.1 200/);
  assert.equal(server.listening, false);
});

test('an allowance below what it has stops it at once', async (t) => {
  const { intake, player } = await shared(t);
  await player();
  await waitFor(() => intake.state.open === 1);
  intake.allow(1, undefined);
  assert.equal(intake.state.accepting, false);
});

test('with the socket it goes on, and late headers still have their deadline', async (t) => {
  const { server, intake, player } = await shared(t);
  const early = await player();
  await waitFor(() => intake.state.open === 1);
  intake.allow(1, undefined);
  const again = await openListeningSocket('127.0.0.1:0');
  intake.allow(10, again.handle);
  await once(server, 'listening');
  assert.equal(intake.state.accepting, true);
  const late = connect(again.address.port, '127.0.0.1').setEncoding('latin1');
  t.after(() => late.destroy());
  for (const slow of [early, late]) slow.write('GET / HTTP/1.1\r\n');
  const answers = await Promise.all([early, late].map((slow) => once(slow, 'data')));
  for (const [answer] of answers) assert.match(answer, /^HTTP\/1\.1 408/);
});

test('a socket that comes when it has ended, or accepts already, is closed', async (t) => {
  const { intake } = await shared(t);
  const unneeded = await openListeningSocket('127.0.0.1:0');
  intake.allow(10, unneeded.handle);
  const late = await openListeningSocket('127.0.0.1:0');
  intake.end();
  intake.allow(10, late.handle);
  const name = {};
  for (const { handle } of [unneeded, late]) {
    assert.notEqual((handle as unknown as { getsockname(name: object): number }).getsockname(name), 0);
  }
});
