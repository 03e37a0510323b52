// WebSocket upgrades that pass through a running data plane, in front of real servers that accept, refuse and fail.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { startHttpOrigin, startRawOrigin } from '../support/origin-server.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane({ relay: { enabled: false }, ...overrides });
  cleanups.push(() => started.close());
  return started;
}

/** Answers every upgrade with these bytes, or as the test likes. */
async function rawOrigin(onUpgrade: string | ((socket: Socket, request: string) => void)) {
  const origin = await startRawOrigin((socket) => {
    let request = '';
    socket.on('data', (chunk) => {
      if (request.endsWith('\r\n\r\n')) return;
      request += chunk.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      if (typeof onUpgrade === 'string') socket.write(onUpgrade);
      else onUpgrade(socket, request);
    });
  });
  cleanups.push(() => origin.close());
  return origin;
}

interface Seen {
  readonly url: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** Accepts upgrades, says hello and repeats what it hears. */
async function echo() {
  const seen: Seen[] = [];
  const origin = await startHttpOrigin((_request, response) => response.writeHead(500).end());
  const sockets = new WebSocketServer({ server: origin.server });
  sockets.on('connection', (socket, { url, headers }) => {
    seen.push({ url, headers });
    socket.send('hello');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
    return origin.close();
  });
  return { address: origin.address, seen, sockets };
}

/** A player whose messages are collected from the first one on. */
async function play(weir: TestDataPlane, path = '/live/news.flv') {
  const socket = new WebSocket(`ws://127.0.0.1:${weir.port}${path}`);
  cleanups.push(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await once(socket, 'open');
  return { socket, messages };
}

const handshake =
  'GET /live/news.flv HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** A handshake as bytes; what comes back is collected as text. */
function rawPlayer(weir: TestDataPlane, fields = '', early: Buffer | string = '') {
  const socket = connect(weir.port, '127.0.0.1');
  const player = { socket, answer: '', closed: new Promise((resolve) => socket.once('close', resolve)) };
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    player.answer += chunk.toString('latin1');
  });
  socket.write(Buffer.concat([Buffer.from(`${handshake}${fields}\r\n`), Buffer.from(early)]));
  cleanups.push(() => {
    socket.destroy();
  });
  return player;
}

async function refusal(weir: TestDataPlane) {
  const player = rawPlayer(weir);
  await player.closed;
  const [head = '', body = ''] = player.answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body };
}

const outcomes = (weir: TestDataPlane, outcome: string) => metricValue(weir.metrics, 'weir_picks_total', { outcome });

/** Endpoints that do not answer an upgrade as they should, each in its own way. */
const failures: [name: string, cause: string, outcome: string, status: number, make: () => Promise<string>][] = [
  ['refuses connections', 'upstream_connect', 'connect_error', 502, async () => `127.0.0.1:${await closedPort()}`],
  [
    'accepts and never answers',
    'upstream_first_byte_timeout',
    'first_byte_timeout',
    504,
    async () => (await rawOrigin(() => undefined)).address,
  ],
  [
    'never finishes the TLS handshake',
    'upstream_connect_timeout',
    'connect_timeout',
    504,
    async () => `https://${(await rawOrigin(() => undefined)).address}`,
  ],
  [
    'cuts the connection',
    'upstream_cut',
    'cut',
    502,
    async () => (await rawOrigin((socket) => socket.destroy())).address,
  ],
  [
    'speaks something else',
    'upstream_bad_response',
    'bad_response',
    502,
    async () => (await rawOrigin('220 smtp\r\n')).address,
  ],
  ...[502, 503, 504].map((status): (typeof failures)[number] => [
    `answers ${status}`,
    'upstream_status',
    'bad_status',
    502,
    async () => (await rawOrigin(`HTTP/1.1 ${status} Bad\r\nContent-Length: 500\r\n\r\nsorry`)).address,
  ]),
];

describe('an upgrade that an endpoint fails', () => {
  for (const [name, cause, outcome, status, make] of failures) {
    test(`goes to another one when the first ${name}, and frames flow both ways`, async () => {
      const well = await echo();
      const weir = await edge({ upstream: { connectTimeout: '300ms', firstByteTimeout: '600ms' } });
      weir.register(endpoint('news', await make(), { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
      const { socket, messages } = await play(weir, '/live/news.flv?t=1');
      socket.send('x'.repeat(100_000));
      await waitFor(() => messages.length === 2, { what: 'both messages' });
      assert.deepEqual(messages, ['hello', 'x'.repeat(100_000)]);
      assert.equal(well.seen[0]?.url, '/live/news.flv?t=1');
      assert.equal(well.seen[0]?.headers['via']?.includes(','), false);
      assert.equal(await metricValue(weir.metrics, 'weir_retries_total', { cause }), 1);
      assert.equal(await outcomes(weir, outcome), 1);
    });

    test(`is refused with its code when the only one ${name}`, async () => {
      const weir = await edge({ upstream: { connectTimeout: '300ms', firstByteTimeout: '600ms' } });
      weir.register(endpoint('news', await make()));
      const answer = await refusal(weir);
      assert.equal(answer.status, status);
      const { error, request_id } = JSON.parse(answer.body);
      assert.equal(error, cause);
      assert.match(answer.head, new RegExp(`x-request-id: ${request_id}`));
      const counted = { protocol: 'ws-flv', status_class: '5xx' };
      assert.equal(await metricValue(weir.metrics, 'weir_http_requests_total', counted), 1);
    });
  }

  test('is tried on no more endpoints than the setting allows', async () => {
    const well = await echo();
    const weir = await edge({ upstream: { retries: 1 } });
    weir.register(
      endpoint('news', `127.0.0.1:${await closedPort()}`, { load: 0 }),
      endpoint('news', `localhost:${await closedPort()}`, { load: 0.3 }),
      endpoint('news', well.address, { load: 0.9 }),
    );
    assert.equal((await refusal(weir)).status, 502);
    assert.equal(well.seen.length, 0);
    assert.equal(await outcomes(weir, 'connect_error'), 2);
  });

  test('never goes to an address outside upstream.allow, by name either, and that is no failure', async () => {
    const well = await echo();
    const weir = await edge({ upstream: { allow: ['10.0.0.0/8'] } });
    weir.register(endpoint('news', `localhost:${well.address.split(':')[1]}`));
    const { status, body } = await refusal(weir);
    assert.equal(status, 502);
    assert.equal(JSON.parse(body).error, 'address_refused');
    assert.equal(well.seen.length, 0);
    assert.equal(await outcomes(weir, 'abandoned'), 1);
  });

  test('ejects the endpoint like any other failure, so that the next players come through at once', async () => {
    const well = await echo();
    const weir = await edge({ balancer: { policy: 'lowest' } });
    const dead = `127.0.0.1:${await closedPort()}`;
    weir.register(endpoint('news', dead, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
    for (let i = 0; i < 10; i++) await play(weir);
    assert.equal(await metricValue(weir.metrics, 'weir_ejections_total'), 1);
    assert.ok((await metricValue(weir.metrics, 'weir_retries_total')) <= 5);
  });

  for (const [how, leave] of [
    ['closes', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ] as const) {
    test(`is given up at once when the player ${how} the connection, and nobody failed`, async () => {
      let asked = false;
      let gone = false;
      const silent = await rawOrigin((socket) => {
        asked = true;
        socket.on('close', () => {
          gone = true;
        });
        // Without a reader the end is not seen.
        socket.resume();
      });
      const well = await echo();
      const weir = await edge({ upstream: { firstByteTimeout: '30s' } });
      weir.register(endpoint('news', silent.address, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
      const player = rawPlayer(weir);
      await waitFor(() => asked, { what: 'the endpoint is asked' });
      leave(player.socket);
      await waitFor(() => gone, { what: 'the endpoint sees it', deadline: 10_000 });
      assert.equal(await outcomes(weir, 'abandoned'), 1);
      assert.equal(await metricValue(weir.metrics, 'weir_picks_total'), 1);
      assert.equal(await metricValue(weir.metrics, 'weir_retries_total'), 0);
      const counted = { protocol: 'ws-flv', status_class: '4xx' };
      assert.equal(await metricValue(weir.metrics, 'weir_http_requests_total', counted), 1);
    });
  }
});

for (const relayed of [true, false]) {
  test(`a page that http.cors does not name opens no WebSocket, ${relayed ? 'relayed' : 'passed through'}`, async () => {
    const well = await echo();
    const weir = await edge({ relay: { enabled: relayed }, http: { cors: ['https://tv.example'] } });
    weir.register(endpoint('news', well.address));
    const player = rawPlayer(weir, 'Origin: https://evil.example\r\n');
    await player.closed;
    assert.match(player.answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.equal(well.seen.length, 0);
    if (relayed) return;
    rawPlayer(weir, 'Origin: https://tv.example\r\n');
    await waitFor(() => well.seen.length === 1, { what: 'the page that is named' });
  });
}

describe('an upgrade that an endpoint answers', () => {
  test('takes along what the player sent before the answer, also to the second endpoint', async () => {
    const heard: string[] = [];
    const well = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst');
      socket.on('data', (chunk) => heard.push(chunk.toString()));
    });
    const weir = await edge();
    const dead = `127.0.0.1:${await closedPort()}`;
    weir.register(endpoint('news', dead, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
    const player = rawPlayer(weir, '', 'early');
    await waitFor(() => player.answer.endsWith('first'), { what: 'the first bytes' });
    assert.match(player.answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    player.socket.write(' late');
    await waitFor(() => heard.join('').endsWith('early late'), { what: `all bytes, not ${heard}` });
  });

  test('has no hop-by-hop fields but its own, in either direction', async () => {
    let asked = '';
    const origin = await rawOrigin((socket, request) => {
      asked = request;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade, X-Hop\r\nUpgrade: websocket\r\nX-Hop: 1\r\n' +
          'Keep-Alive: timeout=9\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      );
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const player = rawPlayer(weir, 'Connection: X-Mine\r\nX-Mine: 1\r\nProxy-Authorization: Basic x\r\n');
    await waitFor(() => player.answer.endsWith('\r\n\r\n'), { what: 'the answer' });
    assert.doesNotMatch(player.answer, /x-hop|keep-alive/i);
    assert.match(player.answer, /\r\nconnection: Upgrade\r\n/i);
    assert.match(player.answer, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    assert.match(player.answer, /\r\nx-request-id: /i);
    assert.doesNotMatch(asked, /x-mine|proxy-authorization/i);
    assert.match(asked, /\r\nconnection: Upgrade\r\n/i);
    assert.match(asked, new RegExp(`\r\nhost: ${origin.address}\r\n`, 'i'));
  });

  test('with a refusal of its own is passed on as it is, ended by the end of the connection', async () => {
    const origin = await startHttpOrigin((_request, response) => {
      response.writeHead(403, { 'X-Own': '1', 'Keep-Alive': 'timeout=9' });
      response.write('not ');
      setTimeout(() => response.end('you'), 20);
    });
    cleanups.push(() => origin.close());
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const { status, head, body } = await refusal(weir);
    assert.equal(status, 403);
    assert.equal(body, 'not you');
    assert.match(head, /\r\nx-own: 1/i);
    assert.match(head, /\r\nconnection: close/i);
    assert.doesNotMatch(head, /transfer-encoding|keep-alive/i);
    assert.equal(await metricValue(weir.metrics, 'weir_retries_total'), 0);
    assert.equal(await outcomes(weir, 'success'), 1);
  });

  test('with a refusal that it cuts midway cuts the player', async () => {
    const origin = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\n01234');
      setTimeout(() => socket.destroy(), 20);
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    assert.equal((await refusal(weir)).body, '01234');
    assert.equal(await outcomes(weir, 'interrupted'), 1);
  });

  test('and then cuts ends the player, and is no failure of a gateway', async () => {
    const well = await echo();
    const weir = await edge();
    weir.register(endpoint('news', well.address));
    const { socket } = await play(weir);
    const closed = once(socket, 'close');
    for (const client of well.sockets.clients) client.terminate();
    await closed;
    await waitFor(async () => (await metricValue(weir.metrics, 'weir_picks_total')) === 1, {
      what: 'the pick is done',
    });
    assert.equal(await metricValue(weir.metrics, 'weir_retries_total'), 0);
  });

  for (const [how, leave] of [
    ['closes in the protocol', (socket: WebSocket) => socket.close()],
    ['vanishes', (socket: WebSocket) => socket.terminate()],
  ] as const) {
    test(`ends at the endpoint when the player ${how}, and is counted once`, async () => {
      const well = await echo();
      const weir = await edge();
      weir.register(endpoint('news', well.address));
      const { socket, messages } = await play(weir);
      await waitFor(() => messages.length === 1, { what: 'the first message' });
      leave(socket);
      await waitFor(() => well.sockets.clients.size === 0, { what: 'the endpoint sees it' });
      const counted = { protocol: 'ws-flv', status_class: '1xx' };
      const requests = () => metricValue(weir.metrics, 'weir_http_requests_total', counted);
      await waitFor(async () => (await requests()) === 1, { what: 'it is counted' });
      assert.equal(await metricValue(weir.metrics, 'weir_picks_total'), 1);
      assert.equal(await metricValue(weir.metrics, 'weir_http_open_streams', { protocol: 'ws-flv' }), 0);
      assert.deepEqual(
        weir.plane.inFlightChanges().filter(([, count]) => count > 0),
        [],
      );
    });
  }

  test('ends at the endpoint at once when the player resets the connection', async () => {
    let gone = false;
    const origin = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      socket.on('close', () => {
        gone = true;
      });
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const player = rawPlayer(weir);
    await waitFor(() => player.answer.endsWith('hello'), { what: 'the first bytes' });
    player.socket.resetAndDestroy();
    await waitFor(() => gone, { what: 'the endpoint sees it', deadline: 10_000 });
    assert.equal(await outcomes(weir, 'abandoned'), 1);
  });

  test('holds the endpoint back while the player does not read', async () => {
    let written = 0;
    const origin = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const chunk = Buffer.alloc(65_536);
      const fill = (): unknown => {
        while (!socket.destroyed && written < 400_000_000) {
          written += chunk.length;
          if (!socket.write(chunk)) return socket.once('drain', fill);
        }
        return undefined;
      };
      fill();
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const player = rawPlayer(weir);
    await once(player.socket, 'data');
    player.socket.pause();
    let before = -1;
    await waitFor(
      async () => {
        const held = written === before;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 150));
        return held && written === before;
      },
      { what: 'the endpoint is held back' },
    );
    assert.ok(written < 40_000_000, `${written} bytes left the endpoint`);
    const held = written;
    player.socket.resume();
    await waitFor(() => written > held + 10_000_000, { what: 'it goes on' });
  });
});
