// What HTTP asks of a proxy beside the good case (RFC 9110 and 9112), over raw sockets in front of a running data plane.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { LiveOrigin } from '../support/live-origin.js';
import { startedFor } from '../support/started.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const { httpOrigin, rawOrigin } = startedFor(cleanups);

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane(overrides);
  cleanups.push(() => started.close());
  return started;
}
const passing: ConfigInput = { relay: { enabled: false }, hls: { mode: 'passthrough' } };

const good = () => httpOrigin((_request, response) => response.end('good'));
/** A body that goes on until the player leaves. */
const endless = () =>
  httpOrigin((_request, response) => {
    const timer = setInterval(() => response.write('tag'), 10);
    response.on('close', () => clearInterval(timer));
  });
/** Gives these bytes to whoever asks. */
const answering = (answer: string) => rawOrigin((socket) => socket.on('data', () => socket.write(answer)));

/** What came back, as text, while the connection goes on. Its own side stays open when the other one ends. */
function talk(weir: TestDataPlane, bytes: string): { socket: Socket; answer: string; ended: boolean } {
  const socket = connect({ port: weir.port, host: '127.0.0.1', allowHalfOpen: true });
  const talked = { socket, answer: '', ended: false };
  socket.on('data', (chunk) => {
    talked.answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('end', () => {
    talked.ended = true;
  });
  socket.write(bytes, 'latin1');
  cleanups.push(() => {
    socket.destroy();
  });
  return talked;
}
async function ask(weir: TestDataPlane, bytes: string): Promise<string> {
  const talked = talk(weir, bytes);
  await waitFor(() => talked.ended || talked.socket.closed, { what: 'the end' });
  return talked.answer;
}
const request = (path: string, fields = '', method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: edge\r\n${fields}\r\n`;
const connections = (weir: TestDataPlane) => metricValue(weir.metrics, 'weir_http_connections');

describe('an answer without a body', () => {
  for (const [status, reason, length] of [
    [204, 'No Content', null],
    [304, 'Not Modified', '99'],
  ] as const) {
    test(`with status ${status} is whole, whatever length its header states`, async () => {
      const origin = await answering(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 99\r\nETag: "e"\r\n\r\n`);
      const weir = await edge(passing);
      weir.register(endpoint('news', origin.address));
      const answer = await fetch(`${weir.url}/live/news/1.ts`, { headers: { 'If-None-Match': '"e"' } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-length'), length);
      assert.equal(await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'success' }), 1);
      assert.equal(await metricValue(weir.metrics, 'weir_retries_total'), 0);
    });
  }

  test('renews a stored copy though it states the length of the whole', async () => {
    let renewed = 0;
    const origin = await rawOrigin((socket) =>
      socket.on('data', (bytes) => {
        const conditional = bytes.toString('latin1').toLowerCase().includes('if-none-match: "e"');
        if (conditional) renewed += 1;
        const fields = 'Content-Length: 4\r\nETag: "e"\r\nCache-Control: max-age=0\r\n\r\n';
        socket.write(conditional ? `HTTP/1.1 304 Not Modified\r\n${fields}` : `HTTP/1.1 200 OK\r\n${fields}good`);
      }),
    );
    const weir = await edge({ hls: { objectMinAge: 0 } });
    weir.register(endpoint('news', origin.address));
    for (let i = 0; i < 3; i++) assert.equal(await (await fetch(`${weir.url}/live/news/1.ts`)).text(), 'good');
    assert.equal(renewed, 2);
    assert.equal(await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'cut' }), 0);
  });
});

describe('what comes in behind a request', () => {
  const cases: [name: string, fields: string, then: string][] = [
    ['a body that never ends', 'Transfer-Encoding: chunked\r\n', '5\r\nab'],
    ['bytes that are no HTTP', '', 'GARBAGE\x01\r\n\r\n'],
  ];
  for (const [name, fields, then] of cases) {
    test(`${name}, closes the connection without a second answer inside the first`, async () => {
      const origin = await endless();
      const weir = await edge({ ...passing, http: { headersTimeout: '300ms' } });
      weir.register(endpoint('news', origin.address));
      const talked = talk(weir, request('/live/news.flv', fields));
      await waitFor(() => talked.answer.includes('tag'), { what: 'the stream' });
      talked.socket.write(then, 'latin1');
      await waitFor(() => talked.ended || talked.socket.destroyed, { what: 'the end' });
      assert.equal(talked.answer.match(/HTTP\/1\.1/g)?.length, 1);
      await waitFor(async () => (await connections(weir)) === 0, { what: 'the connection is gone' });
    });
  }

  test('after an answer that is over, bytes that are no HTTP are refused in words', async () => {
    const origin = await good();
    const weir = await edge(passing);
    weir.register(endpoint('news', origin.address));
    const talked = talk(weir, request('/live/news/1.ts'));
    await waitFor(() => talked.answer.endsWith('good'), { what: 'the answer' });
    talked.socket.write('GARBAGE\x01\r\n\r\n', 'latin1');
    await waitFor(() => talked.ended, { what: 'the end' });
    assert.match(talked.answer, /goodHTTP\/1\.1 400 /);
  });
});

describe('Host', () => {
  const websocket = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const cases: [name: string, request: string, status: number][] = [
    ['one', 'HTTP/1.1\r\nHost: edge:8080\r\n', 200],
    ['an IPv6 address', 'HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n', 200],
    ['an empty one', 'HTTP/1.1\r\nHost:\r\n', 200],
    ['none in HTTP/1.0', 'HTTP/1.0\r\n', 200],
    ['two', 'HTTP/1.1\r\nHost: a\r\nhost: b\r\n', 400],
    ['two in HTTP/1.0', 'HTTP/1.0\r\nHost: a\r\nHost: b\r\n', 400],
    ['the same twice', 'HTTP/1.1\r\nHost: a\r\nHost: a\r\n', 400],
    ['one with a path', 'HTTP/1.1\r\nHost: a/b\r\n', 400],
    ['one with a user', 'HTTP/1.1\r\nHost: u@a\r\n', 400],
    ['none in an upgrade', `HTTP/1.1\r\n${websocket}`, 400],
    ['two in an upgrade', `HTTP/1.1\r\nHost: a\r\nHost: b\r\n${websocket}`, 400],
  ];
  for (const [name, head, status] of cases) {
    test(`${name}: ${status}`, async () => {
      const origin = await good();
      const weir = await edge(passing);
      weir.register(endpoint('news', origin.address));
      const upgrade = head.includes('websocket');
      const path = upgrade ? '/live/news.flv' : '/live/news/1.ts';
      const answer = await ask(weir, `GET ${path} ${head}${upgrade ? '' : 'Connection: close\r\n'}\r\n`);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(origin.requests.length, status === 200 ? 1 : 0);
    });
  }
});

describe('an offer to upgrade to something else than WebSocket is ignored', () => {
  const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';

  test('with an answer to the request as it is, and nothing of the offer at the endpoint', async () => {
    const origin = await good();
    const weir = await edge(passing);
    weir.register(endpoint('news', origin.address));
    const answer = await ask(weir, request('/live/news/1.ts', h2c));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.ok(answer.endsWith('good'));
    const seen = origin.requests[0]?.headers;
    assert.deepEqual([seen?.upgrade, seen?.['http2-settings']], [undefined, undefined]);
    await waitFor(async () => (await connections(weir)) === 0, { what: 'the connection is gone' });
    assert.equal(await metricValue(weir.metrics, 'weir_http_requests_total', { status_class: '2xx' }), 1);
  });

  test('for a large body and a player who reads it late', async () => {
    const origin = await httpOrigin((_request, response) => response.end(Buffer.alloc(20_000_000, 'x')));
    const weir = await edge(passing);
    weir.register(endpoint('news', origin.address));
    const talked = talk(weir, request('/live/news/1.ts', h2c));
    talked.socket.pause();
    await waitFor(() => origin.requests.length === 1, { what: 'the request' });
    talked.socket.resume();
    await waitFor(() => talked.ended, { what: 'the end' });
    assert.equal(talked.answer.length - talked.answer.indexOf('\r\n\r\n') - 4, 20_000_000);
  });

  for (const [name, leave] of [
    ['closes', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ] as const) {
    test(`for a relayed stream, which ends when the player ${name} the connection`, async () => {
      const origin = await LiveOrigin.start();
      cleanups.push(() => origin.close());
      const weir = await edge({ relay: { linger: 0 } });
      weir.register(endpoint('news', origin.address));
      const talked = talk(weir, request('/live/news.flv', h2c));
      await waitFor(() => talked.answer.includes('FLV'), { what: 'the stream' });
      assert.match(talked.answer, /^HTTP\/1\.1 200 OK\r\n/);
      leave(talked.socket);
      await waitFor(async () => (await connections(weir)) === 0, { what: 'the connection is gone' });
      assert.equal(await metricValue(weir.metrics, 'weir_http_open_streams'), 0);
    });
  }

  test('with a refusal of the method where that is none of ours', async () => {
    const weir = await edge(passing);
    assert.match(await ask(weir, request('/live/news.flv', h2c, 'POST')), /^HTTP\/1\.1 405 /);
  });
});

describe('a refused upgrade', () => {
  test('ends the connection, though the player keeps its side open', async () => {
    const weir = await edge();
    weir.register(endpoint('news', '127.0.0.1:1'));
    const talked = talk(weir, request('/live/news/1.ts', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
    await waitFor(() => talked.ended, { what: 'the answer' });
    assert.match(talked.answer, /^HTTP\/1\.1 400 .*bad_request/s);
    await waitFor(async () => (await connections(weir)) === 0, { what: 'the connection is gone' });
  });

  test('of a handshake without a key is answered 400, and nothing of the stream follows', async () => {
    const origin = await LiveOrigin.start();
    cleanups.push(() => origin.close());
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const answer = await ask(weir, request('/live/news.flv', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.doesNotMatch(answer, /FLV/);
    await waitFor(async () => (await connections(weir)) === 0, { what: 'the connection is gone' });
    assert.equal(await metricValue(weir.metrics, 'weir_relay_viewers'), 0);
    const counted = { protocol: 'ws-flv', status_class: '4xx' };
    assert.equal(await metricValue(weir.metrics, 'weir_http_requests_total', counted), 1);
  });
});
