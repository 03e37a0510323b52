// Hostile request lines and headers over raw sockets: nothing crashes, nothing hangs, and good players go on.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../support/any-text.js';
import { endpoint, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { startHttpOrigin, type TestOrigin } from '../support/origin-server.js';
import { runs } from '../support/runs.js';

let weir: TestDataPlane;
let origin: TestOrigin;
before(async () => {
  origin = await startHttpOrigin((_request, response) => response.end('good'));
  weir = await startDataPlane({ http: { headersTimeout: '2s' } });
  weir.register(endpoint('news', origin.address));
});
after(async () => {
  await weir.close();
  await origin.close();
});

/** Sends the bytes, closes its side and resolves with what came back; rejects when nobody closes within 20 s. */
function send(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(weir.port, '127.0.0.1', () => socket.end(bytes));
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the connection after ${JSON.stringify(bytes.toString('latin1'))}`));
    }, 20_000);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(answer);
    });
  });
}

const anyBytes = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
const token = anyText({ minLength: 1, maxLength: 30 });
const spelledTarget = fc.oneof(
  fc.string({ maxLength: 80 }).map((rest) => `/live/news${rest}`),
  fc.constantFrom(
    '*',
    '//',
    '/live/%',
    '/live/news%2e%2e/x',
    'http://[::1',
    'http:///x',
    '/live/news.flv?%00',
    '/ live',
  ),
  fc.webUrl(),
);
const spelledRequest = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'get', ''), token),
    target: spelledTarget,
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.1 ', ''),
    headers: fc.array(
      fc.tuple(
        fc.oneof(
          token,
          fc.constantFrom(
            'Host',
            'Connection',
            'Upgrade',
            'Content-Length',
            'Transfer-Encoding',
            'Range',
            'Via',
            'Expect',
          ),
        ),
        fc.oneof(
          token,
          fc.constantFrom('websocket', 'Upgrade', 'chunked', '-1', '99999999999999999999', 'bytes=9-1,-', ''),
        ),
      ),
      { maxLength: 8 },
    ),
    eol: fc.constantFrom('\r\n', '\n', '\r'),
  })
  .map(({ method, target, version, headers, eol }) => {
    const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
    return Buffer.from(lines.join(eol));
  });

test('whatever bytes arrive, the connection ends, any answer is HTTP, and the next player is served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(anyBytes, spelledRequest), { minLength: 8, maxLength: 8 }), async (all) => {
      const answers = await Promise.all(all.map(send));
      for (const answer of answers) assert.match(answer, /^(HTTP\/1\.1 \d{3} |$)/);
      const good = await fetch(`${weir.url}/live/news/1.ts`);
      assert.equal(await good.text(), 'good');
    }),
    { numRuns: runs(10, 300) },
  );
});

test('nothing but GET and HEAD of the channel ever reached the endpoint, with one Host each', () => {
  for (const request of origin.requests) {
    assert.ok(request.method === 'GET' || request.method === 'HEAD');
    assert.ok(request.url?.startsWith('/live/news'));
    assert.equal(request.headers.host, origin.address);
  }
});
