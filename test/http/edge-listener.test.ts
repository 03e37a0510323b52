// Where other edges come in: what strangers get there, and how many of them there may be.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { silentLogger } from '../../src/log.js';
import type { ProofOutcome } from '../../src/metrics.js';
import { EdgeListener, type EdgeListenerOptions } from '../../src/sharding/edge-listener.js';
import { proveAsCaller } from '../../src/sharding/handshake.js';
import { callerLine, newNonce, readChallenge } from '../../src/sharding/proof.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const secret = 'a-secret-of-thirty-two-characters';
const ends = { caller: 'east/one', answerer: 'east/two' };
const longMs = 60_000;

/** A listener that answers a word to whoever is let in. */
async function listening(options: Partial<EdgeListenerOptions> = {}) {
  const outcomes: ProofOutcome[] = [];
  const listener = new EdgeListener({
    secret,
    id: () => ends.answerer,
    accept: (socket) => {
      socket.once('data', () => socket.end('welcome'));
      socket.resume();
    },
    maxConnections: () => 100,
    outcome: (outcome) => outcomes.push(outcome),
    logger: silentLogger,
    proofTimeoutMs: longMs,
    ...options,
  });
  cleanups.push(() => listener.close());
  const { port } = await listener.listen('127.0.0.1:0');
  return { listener, outcomes, port };
}

function caller(port: number) {
  const socket = connect(port, '127.0.0.1');
  cleanups.push(() => void socket.destroy());
  const heard = { text: '', closed: false };
  socket.on('error', () => undefined);
  socket.on('close', () => {
    heard.closed = true;
  });
  return { socket, heard };
}
/** All that it is sent, to the end of the connection. */
async function listen({
  socket,
  heard,
}: {
  socket: Socket;
  heard: { text: string; closed: boolean };
}): Promise<string> {
  socket.on('data', (chunk) => {
    heard.text += chunk.toString();
  });
  socket.resume();
  if (!heard.closed) await once(socket, 'close');
  return heard.text;
}
const isChallengeAlone = (text: string) => text.endsWith('\n') && readChallenge(text.slice(0, -1)) !== undefined;

test('an edge that proves itself is let in', async () => {
  const { port, outcomes } = await listening();
  const edge = caller(port);
  await proveAsCaller(edge.socket, secret, ends, longMs);
  edge.socket.write('hello');
  assert.equal(await listen(edge), 'welcome');
  assert.deepEqual(outcomes, ['proven']);
});

test('a stranger gets a random number and nothing else, whatever it says', async () => {
  const { port, outcomes } = await listening();
  const said = [
    'GET /live/news.flv HTTP/1.1\r\nHost: x\r\n\r\n',
    'x\n',
    `${'x'.repeat(10_000)}`,
    Buffer.from([0x16, 3, 1, 2, 0, 10]),
    `${callerLine({ secret: 'another-secret-of-so-many-characters', ends, nonces: { caller: newNonce(), answerer: newNonce() } })}\n`,
  ];
  for (const words of said) {
    const stranger = caller(port);
    stranger.socket.write(words);
    if (Buffer.isBuffer(words)) stranger.socket.end();
    assert.ok(isChallengeAlone(await listen(stranger)), String(words).slice(0, 40));
  }
  assert.deepEqual(
    outcomes,
    said.map(() => 'refused'),
  );
});

test('one that knows another secret, or means another edge, is not let in, and finds out', async () => {
  const { port, outcomes } = await listening();
  for (const [word, those] of [
    ['another-secret-of-so-many-characters', ends],
    [secret, { ...ends, answerer: 'east/three' }],
    [secret, { ...ends, answerer: 'west/two' }],
  ] as const) {
    await assert.rejects(proveAsCaller(caller(port).socket, word, those, longMs), { code: 'upstream_connect' });
  }
  assert.deepEqual(outcomes, ['refused', 'refused', 'refused']);
});

test('an answerer that does not know the secret gets no request', async () => {
  const answers = ['', 'HTTP/1.1 400 Bad Request\r\n\r\n', `weir-peer/1 ${newNonce()}\n`, 'x'.repeat(10_000)];
  for (const answer of answers) {
    let heard = '';
    const impostor = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard += chunk.toString();
        // It has nothing to prove with.
        socket.end(`${newNonce()}\n`);
      });
      if (answer === '') socket.end();
      else socket.write(answer);
    }).listen(0, '127.0.0.1');
    cleanups.push(() => void impostor.close());
    await once(impostor, 'listening');
    const { port } = impostor.address() as { port: number };
    const { socket } = caller(port);
    await assert.rejects(proveAsCaller(socket, secret, ends, longMs), { code: 'upstream_connect' });
    socket.destroy();
    assert.ok(!heard.includes(secret) && !heard.includes('GET'), heard);
  }
});

test('who says nothing is left after a while', async () => {
  const { port, outcomes } = await listening({ proofTimeoutMs: 20 });
  assert.ok(isChallengeAlone(await listen(caller(port))));
  assert.deepEqual(outcomes, ['late']);
});

test('strangers who wait keep no edge out: the oldest makes room', async () => {
  const { port, outcomes } = await listening();
  const strangers = Array.from({ length: 140 }, () => caller(port));
  const heard = strangers.map((stranger) => listen(stranger));
  await waitFor(() => strangers.filter((each) => each.heard.closed).length === 12, { what: 'twelve to be left' });
  const edge = caller(port);
  await proveAsCaller(edge.socket, secret, ends, longMs);
  edge.socket.write('hello');
  assert.equal(await listen(edge), 'welcome');
  assert.equal(outcomes.filter((outcome) => outcome === 'proven').length, 1);
  for (const { socket } of strangers) socket.destroy();
  await Promise.all(heard);
});

test('no more edges are let in than there may be, nor any before this one knows its name', async () => {
  let id: string | undefined;
  const { port, outcomes } = await listening({ id: () => id, maxConnections: () => 1, accept: () => undefined });
  assert.equal(await listen(caller(port)), '');
  id = ends.answerer;
  const edge = caller(port);
  await proveAsCaller(edge.socket, secret, ends, longMs);
  assert.equal(await listen(caller(port)), '');
  await waitFor(() => outcomes.length === 3, { what: 'all outcomes' });
  assert.deepEqual(outcomes, ['full', 'proven', 'full']);
});

test('a listener that drains waits for its edges, and not for strangers', async () => {
  const { listener, port } = await listening({ accept: () => undefined });
  const [stranger, edge] = [caller(port), caller(port)];
  await proveAsCaller(edge.socket, secret, ends, longMs);
  const left = listen(stranger);
  let isDrained = false;
  const drained = listener.drain(longMs).then(() => {
    isDrained = true;
  });
  await left;
  assert.equal(isDrained, false);
  edge.socket.destroy();
  await drained;
});
