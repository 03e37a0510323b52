// A running data plane in front of real HTTP servers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { closedPort } from '../support/ports.js';
import { startedFor } from '../support/started.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const { httpOrigin, rawOrigin } = startedFor(cleanups);

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane({ relay: { enabled: false }, hls: { mode: 'passthrough' }, ...overrides });
  cleanups.push(() => started.close());
  return started;
}
const good = () => httpOrigin((_request, response) => response.end('good'));

/** Sends bytes as they are and returns everything that came back until the connection closed. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes, 'latin1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  // Whatever ended it: `once` would reject when the connection is reset.
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n${headers}\r\n`;

describe('what passes through', () => {
  test('status, header and body of a segment, with the request id, Via and CORS of the edge', async () => {
    const origin = await httpOrigin((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'video/mp2t', ETag: '"e"', 'Keep-Alive': 'timeout=99', 'X-Own': '1' });
      response.end(Buffer.alloc(100_000, 7));
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const answer = await fetch(`${weir.url}/live/news/7.ts?token=x`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'video/mp2t');
    assert.equal(answer.headers.get('etag'), '"e"');
    assert.equal(answer.headers.get('x-own'), '1');
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    assert.match(answer.headers.get('via') ?? '', /^1\.1 weir-[0-9a-f]+$/);
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.notEqual(answer.headers.get('keep-alive'), 'timeout=99');
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.alloc(100_000, 7));
    const [seen] = origin.requests;
    assert.equal(seen?.url, '/live/news/7.ts?token=x');
    assert.equal(seen?.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen?.headers.host, origin.address);
  });

  test('HEAD, Range and conditional requests, and what the endpoint answers to them', async () => {
    const origin = await httpOrigin((request, response) => {
      if (request.headers['if-none-match'] === '"e"') response.writeHead(304, { ETag: '"e"' }).end();
      else if (request.headers.range === 'bytes=0-3') {
        response.writeHead(206, { 'Content-Range': 'bytes 0-3/10', 'Content-Length': 4 }).end('0123');
      } else
        response.writeHead(200, { 'Content-Length': 10 }).end(request.method === 'HEAD' ? undefined : '0123456789');
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const url = `${weir.url}/live/news/7.ts`;
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '10');
    assert.equal(origin.requests[0]?.method, 'HEAD');
    assert.equal((await fetch(url, { headers: { 'If-None-Match': '"e"' } })).status, 304);
    const part = await fetch(url, { headers: { Range: 'bytes=0-3' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), 'bytes 0-3/10');
    assert.equal(await part.text(), '0123');
  });

  test("an origin's own report in the answer moves the next pick, before the registry says anything", async () => {
    const busy = await httpOrigin((_request, response) => {
      response.setHeader('endpoint-load-metrics', 'TEXT application_utilization=0.95');
      response.end('busy');
    });
    const idle = await httpOrigin((_request, response) => response.end('idle'));
    const weir = await edge({ balancer: { policy: 'lowest', affinityMargin: 0 }, hls: { mode: 'passthrough' } });
    weir.register(endpoint('news', busy.address, { load: 0.1 }), endpoint('news', idle.address, { load: 0.5 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(await (await fetch(`${weir.url}/live/news/1.ts`)).text(), 'busy');
    assert.equal(await (await fetch(`${weir.url}/live/news/1.ts`)).text(), 'idle');
  });

  test('a redirect of an endpoint is passed on, not followed', async () => {
    const other = await good();
    const origin = await httpOrigin((_request, response) =>
      response.writeHead(302, { Location: `http://${other.address}/x` }).end(),
    );
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const answer = await fetch(`${weir.url}/live/news.m3u8`, { redirect: 'manual' });
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get('location'), `http://${other.address}/x`);
    assert.equal(other.requests.length, 0);
  });

  test('an endless body starts at once, and ends upstream at once when the player leaves', async () => {
    let upstreamClosed = false;
    const origin = await httpOrigin((_request, response) => {
      const timer = setInterval(() => response.write('tag'), 10);
      response.on('close', () => {
        clearInterval(timer);
        upstreamClosed = true;
      });
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const leave = new AbortController();
    const answer = await fetch(`${weir.url}/live/news.flv`, { signal: leave.signal });
    const reader = answer.body?.getReader();
    assert.equal(new TextDecoder().decode((await reader?.read())?.value).slice(0, 3), 'tag');
    assert.equal(await metricValue(weir.metrics, 'weir_http_open_streams', { protocol: 'flv' }), 1);
    leave.abort();
    await waitFor(() => upstreamClosed, { what: 'the endpoint sees the player leave' });
    await waitFor(async () => (await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'abandoned' })) === 1, {
      what: 'the pick is done',
    });
    assert.equal(await metricValue(weir.metrics, 'weir_http_open_streams', { protocol: 'flv' }), 0);
  });

  test('a player who does not read holds the endpoint back instead of filling memory', async () => {
    let written = 0;
    const origin = await httpOrigin((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const fill = () => {
        while (!response.destroyed && written < 400_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) return response.once('drain', fill);
        }
        return response;
      };
      fill();
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const socket = connect(weir.port, '127.0.0.1');
    socket.pause();
    socket.write(get('/live/news.flv'));
    let before = -1;
    await waitFor(
      async () => {
        const held = written === before && written > 0;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 150));
        return held && written === before;
      },
      { what: 'the endpoint is held back' },
    );
    assert.ok(written < 40_000_000, `${written} bytes left the endpoint`);
    socket.destroy();
  });

  test('HTTP/1.0 players get a body that the end of the connection ends', async () => {
    const origin = await httpOrigin((_request, response) => {
      response.write('one');
      response.end('two');
    });
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const answer = await raw(weir.port, 'GET /live/news.flv HTTP/1.0\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.doesNotMatch(answer, /transfer-encoding/i);
    assert.ok(answer.endsWith('\r\n\r\nonetwo'));
  });

  test('WebSocket-FLV reaches the endpoint, with the path, and both directions work', async () => {
    const origin = await httpOrigin((_request, response) => response.end());
    const upgraded: string[] = [];
    const sockets = new WebSocketServer({ server: origin.server });
    cleanups.push(() => sockets.close());
    sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
      upgraded.push(`${request.url} ${request.headers['x-forwarded-for']}`);
      socket.on('message', (data) => socket.send(data));
    });
    const weir = await edge();
    weir.register(endpoint('news', `http://${origin.address}/app/stream`));
    const player = new WebSocket(`ws://127.0.0.1:${weir.port}/live/news.flv?t=1`);
    await once(player, 'open');
    player.send('hello');
    const [message] = await once(player, 'message');
    assert.equal(String(message), 'hello');
    assert.deepEqual(upgraded, ['/app/stream.flv?t=1 127.0.0.1']);
    player.close();
    await waitFor(
      async () =>
        (await metricValue(weir.metrics, 'weir_http_requests_total', { protocol: 'ws-flv', status_class: '1xx' })) ===
        1,
      { what: 'it is counted' },
    );
  });
});

describe('what goes wrong upstream', () => {
  /** Endpoints that fail before the first body byte, each in its own way. */
  const failures: [name: string, cause: string, make: () => Promise<string>][] = [
    ['refuses connections', 'upstream_connect', async () => `127.0.0.1:${await closedPort()}`],
    ['answers 503', 'upstream_status', async () => (await httpOrigin((_q, r) => r.writeHead(503).end('no'))).address],
    ['closes without an answer', 'upstream_cut', async () => (await rawOrigin((socket) => socket.end())).address],
    [
      'sends a header and closes',
      'upstream_cut',
      async () => (await rawOrigin((s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'))).address,
    ],
    [
      'speaks something else',
      'upstream_bad_response',
      async () => (await rawOrigin((s) => s.end('220 smtp\r\n'))).address,
    ],
    ['says nothing', 'upstream_first_byte_timeout', async () => (await rawOrigin(() => undefined)).address],
    [
      'sends a header and nothing more',
      'upstream_first_byte_timeout',
      async () => (await rawOrigin((s) => s.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'))).address,
    ],
  ];
  /** Where the timeout is not what is tested, nothing is late for it. */
  const patience = (cause: string) => (cause === 'upstream_first_byte_timeout' ? '1s' : '60s');
  for (const [name, cause, make] of failures) {
    test(`an endpoint that ${name} costs a retry, not an error`, async () => {
      const bad = await make();
      const well = await good();
      const weir = await edge({ upstream: { firstByteTimeout: patience(cause) } });
      weir.register(endpoint('news', bad, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
      const answer = await fetch(`${weir.url}/live/news/1.ts`);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'good');
      assert.equal(await metricValue(weir.metrics, 'weir_retries_total', { cause }), 1);
    });

    test(`a channel whose only endpoint ${name} gets a gateway error with a code`, async () => {
      const bad = await make();
      const weir = await edge({ upstream: { firstByteTimeout: patience(cause) } });
      weir.register(endpoint('news', bad));
      const answer = await fetch(`${weir.url}/live/news/1.ts`);
      const body = (await answer.json()) as { error: string; request_id: string };
      assert.ok([502, 504].includes(answer.status), String(answer.status));
      assert.equal(body.error, cause);
      assert.equal(body.request_id, answer.headers.get('x-request-id'));
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    });
  }

  test('a body cut midway cuts the player, is not tried again and is no gateway failure', async () => {
    const cut = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234');
      setTimeout(() => socket.destroy(), 20);
    });
    const well = await good();
    const weir = await edge();
    weir.register(endpoint('news', cut.address, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
    const answer = await fetch(`${weir.url}/live/news/1.ts`);
    await assert.rejects(answer.text());
    assert.equal(well.requests.length, 0);
    assert.equal(await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'interrupted' }), 1);
  });

  test('retries are bounded by the setting', async () => {
    const weir = await edge({ upstream: { retries: 1 } });
    const ports = [await closedPort(), await closedPort()];
    const well = await good();
    weir.register(
      endpoint('news', `127.0.0.1:${ports[0]}`, { load: 0 }),
      endpoint('news', `localhost:${ports[1]}`, { load: 0.3 }),
      endpoint('news', well.address, { load: 0.9 }),
    );
    assert.equal((await fetch(`${weir.url}/live/news/1.ts`)).status, 502);
    assert.equal(well.requests.length, 0);
  });

  test('a keep-alive connection that the endpoint closed meanwhile is not seen by a player', async () => {
    const origin = await httpOrigin((_request, response) => response.end('good'));
    origin.server.keepAliveTimeout = 50;
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    for (let i = 0; i < 5; i++) {
      assert.equal((await fetch(`${weir.url}/live/news/1.ts`)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  });

  test('addresses outside upstream.allow are refused, as IP address, as mapped IPv6 and as a name', async () => {
    const well = await good();
    const weir = await edge({ upstream: { allow: ['10.0.0.0/8'], retries: 5 } });
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', 'localhost', '[::1]']) {
      weir.register(endpoint('news', `${host}:${well.port}`));
      const status = (await fetch(`${weir.url}/live/news.m3u8`)).status;
      assert.ok(status === 502 || status === 503, `${host}: ${status}`);
    }
    assert.equal(well.requests.length, 0);
  });

  test('a failing origin is ejected and its channel goes on without retries', async () => {
    const bad = `127.0.0.1:${await closedPort()}`;
    const well = await good();
    const weir = await edge({ balancer: { policy: 'lowest' } });
    weir.register(endpoint('news', bad, { load: 0 }), endpoint('news', well.address, { load: 0.9 }));
    for (let i = 0; i < 10; i++) assert.equal((await fetch(`${weir.url}/live/news/${i}.ts`)).status, 200);
    assert.equal(await metricValue(weir.metrics, 'weir_ejections_total'), 1);
    assert.ok((await metricValue(weir.metrics, 'weir_retries_total')) <= 5);
  });
});

describe('what is wrong with a request', () => {
  const cases: [name: string, request: string, status: number][] = [
    ['an unknown channel', get('/live/other.flv'), 404],
    ['no channel at all', get('/'), 404],
    ['dot segments', get('/live/../news.flv'), 400],
    ['POST', 'POST /live/news.flv HTTP/1.1\r\nHost: e\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 405],
    ['a method that does not exist', 'BREW /live/news.flv HTTP/1.1\r\nHost: e\r\n\r\n', 400],
    ['a target too long', get(`/live/news.flv?${'x'.repeat(5000)}`), 414],
    ['a header too large', get('/live/news.flv', `X-Big: ${'x'.repeat(20_000)}\r\n`), 431],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n', 400],
    ['two lengths', 'GET /live/news.flv HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'length and chunked',
      'GET /live/news.flv HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['no Host', 'GET /live/news.flv HTTP/1.1\r\n\r\n', 400],
    ['an upgrade of a segment', get('/live/news/1.ts').replace('close', 'Upgrade\r\nUpgrade: websocket'), 400],
  ];
  for (const [name, bytes, status] of cases) {
    test(`${name} is answered ${status}`, async () => {
      const origin = await good();
      const weir = await edge();
      weir.register(endpoint('news', origin.address));
      assert.match(await raw(weir.port, bytes), new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(origin.requests.length, 0);
      assert.equal((await fetch(`${weir.url}/live/news.m3u8`)).status, 200);
    });
  }

  test('before the first snapshot: 503 with Retry-After', async () => {
    const weir = await edge();
    const answer = await fetch(`${weir.url}/live/news.flv`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '1');
  });

  test('a preflight is answered here', async () => {
    const weir = await edge();
    const answer = await fetch(`${weir.url}/live/news.flv`, { method: 'OPTIONS' });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.get('access-control-allow-methods') ?? '', /GET/);
  });

  test('a request that comes through the same edge again is refused', async () => {
    const weir = await edge();
    // A proxy that leads back: weir itself would not be asked.
    const proxy = await httpOrigin(({ url, headers }, response) => {
      const back = httpRequest({ host: '127.0.0.1', port: weir.port, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0);
        answer.pipe(response);
      });
      back.end();
    });
    weir.register(endpoint('news', proxy.address));
    assert.equal((await fetch(`${weir.url}/live/news.m3u8`)).status, 508);
    assert.equal(proxy.requests.length, 1);
  });

  test('a header that never ends is given up', async () => {
    const weir = await edge({ http: { headersTimeout: '300ms' } });
    const answer = await raw(weir.port, 'GET /live/news.flv HTTP/1.1\r\nHost: e\r\n');
    assert.match(answer, /^HTTP\/1.1 408 /);
  });

  for (const [name, path, headers] of [
    ['an answer', '/live/news/1.ts', ''],
    ['a stream', '/live/news.flv', ''],
    [
      'a WebSocket',
      '/live/news.flv',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n',
    ],
  ] as const) {
    test(`a player who takes nothing of ${name} for sendTimeout is closed, and its endpoint let go`, async () => {
      let closed = 0;
      const origin = await rawOrigin((socket) => {
        const head =
          headers === '' ? '200 OK\r\n' : '101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
        socket.once('data', () => {
          socket.write(`HTTP/1.1 ${head}\r\n`);
          for (let i = 0; i < 200; i += 1) socket.write(Buffer.alloc(100_000));
        });
        socket.on('close', () => (closed += 1));
      });
      const weir = await edge({ http: { sendTimeout: '200ms' } });
      weir.register(endpoint('news', origin.address));
      const player = connect(weir.port, '127.0.0.1');
      cleanups.push(() => player.destroy());
      player.on('error', () => undefined);
      // It waits for something to read, and reads none of it.
      player.on('readable', () => undefined);
      player.write(`GET ${path} HTTP/1.1\r\nHost: edge\r\n${headers}\r\n`);
      await waitFor(() => closed === 1, { what: 'the endpoint to be let go' });
      await waitFor(async () => (await metricValue(weir.metrics, 'weir_http_connections')) === 0, { what: 'the end' });
    });
  }

  test('a player who waits for a late endpoint is not taken for one who takes nothing', async () => {
    const origin = await httpOrigin((_request, response) => {
      setTimeout(() => response.end('late'), 1_500);
    });
    // The process of the test may be late for a part of it.
    const weir = await edge({ http: { sendTimeout: '1s' } });
    weir.register(endpoint('news', origin.address));
    assert.equal(await (await fetch(`${weir.url}/live/news/1.ts`)).text(), 'late');
  });

  test('an idle connection is closed after keepAliveTimeout', async () => {
    const origin = await good();
    const weir = await edge({ http: { keepAliveTimeout: '100ms' } });
    weir.register(endpoint('news', origin.address));
    const player = connect(weir.port, '127.0.0.1').resume();
    player.write('GET /live/news/1.ts HTTP/1.1\r\nHost: edge\r\n\r\n');
    await once(player, 'close');
  });

  test('connections above the cap are closed and counted', async () => {
    const weir = await edge({ http: { maxConnections: 2 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 5; i++) {
      const socket = connect(weir.port, '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
    await waitFor(async () => (await metricValue(weir.metrics, 'weir_http_connections_refused_total')) === 3, {
      what: 'three are refused',
    });
    for (const socket of sockets) socket.destroy();
  });
});

describe('draining', () => {
  test('running answers finish, new connections are refused', async () => {
    let finish = () => {};
    const origin = await httpOrigin((_request, response) => {
      response.write('first');
      finish = () => response.end('last');
    });
    const weir = await edge({ shutdown: { grace: '5s' } });
    weir.register(endpoint('news', origin.address));
    const answer = await fetch(`${weir.url}/live/news/1.ts`);
    const drained = weir.plane.drain();
    await assert.rejects(fetch(`${weir.url}/live/news/1.ts`));
    finish();
    assert.equal(await answer.text(), 'firstlast');
    await drained;
  });

  test('an endless stream is cut when the grace is over', async () => {
    const origin = await httpOrigin((_request, response) => response.write('endless'));
    const weir = await edge({ shutdown: { grace: '100ms' } });
    weir.register(endpoint('news', origin.address));
    const answer = await fetch(`${weir.url}/live/news.flv`);
    await Promise.all([weir.plane.drain(), assert.rejects(answer.text())]);
  });

  test('an idle keep-alive connection does not hold it up', async () => {
    const origin = await good();
    const weir = await edge({ shutdown: { grace: '60s' } });
    weir.register(endpoint('news', origin.address));
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    const request = httpRequest(`${weir.url}/live/news/1.ts`, { agent }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    await weir.plane.drain();
  });
});
