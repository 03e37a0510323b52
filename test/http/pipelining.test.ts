// Players who send requests without waiting for answers, over raw sockets.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { flvFile, flvTag } from '../support/flv-bytes.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane(overrides);
  cleanups.push(() => started.close());
  return started;
}
const header = flvTag(9, 0, Buffer.from([0x17, 0, 0, 0, 0, 1]));
const keyframe = flvTag(9, 0, Buffer.from([0x17, 1, 0, 0, 0, 7]));

/** Every stream goes on until whoever pulls it leaves. */
async function endless() {
  let open = 0;
  const origin = await startHttpOrigin((request, response) => {
    if (!request.url?.endsWith('.flv')) {
      response.end(request.url);
      return;
    }
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    response.write(flvFile(false, true, [header, keyframe]));
  });
  cleanups.push(() => origin.close());
  return { ...origin, open: () => open };
}
function player(weir: TestDataPlane): { socket: Socket; answer: () => string; closed: Promise<void> } {
  const socket = connect(weir.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  // Whatever ends it: some are reset.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  cleanups.push(() => socket.destroy());
  return { socket, answer: () => answer, closed };
}
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: edge\r\n${more}\r\n`;

for (const relayed of [true, false]) {
  const how = relayed ? 'relayed' : 'passed through';
  suite(`pipelined requests, streams ${how}`, () => {
    const settings: ConfigInput = { relay: { enabled: relayed, linger: 0 }, hls: { mode: 'passthrough' } };

    test('open one stream at the origin, and none once the player has left', async () => {
      const origin = await endless();
      const weir = await edge(settings);
      weir.register(endpoint('news', origin.address));
      const { socket } = player(weir);
      socket.write(get('/live/news.flv').repeat(20));
      await waitFor(() => origin.open() === 1, { what: 'the stream' });
      // It is asked for after all the others, over another connection.
      assert.equal(await (await fetch(`${weir.url}/live/news/after.ts`)).text(), '/live/news/after.ts');
      assert.equal(origin.requests.length, 2);
      socket.destroy();
      await waitFor(async () => (await metricValue(weir.metrics, 'weir_http_connections')) <= 1);
      await weir.close();
      await waitFor(() => origin.open() === 0, { what: 'no stream' });
      assert.equal(origin.requests.length, 2);
      assert.equal(await metricValue(weir.metrics, 'weir_http_open_streams'), 0);
    });

    test('in a flood cost the player the connection, and the edge nothing', async () => {
      const origin = await endless();
      const weir = await edge(settings);
      weir.register(endpoint('news', origin.address));
      const { socket, closed } = player(weir);
      socket.write(get('/live/news.flv').repeat(5_000));
      await closed;
      await waitFor(() => origin.open() === 0 || relayed, { what: 'no stream' });
      assert.ok(origin.requests.length <= 1);
    });
  });
}

test('pipelined requests are answered in order', async () => {
  const origin = await endless();
  const weir = await edge({ relay: { enabled: false }, hls: { mode: 'passthrough' } });
  weir.register(endpoint('news', origin.address));
  const { socket, answer } = player(weir);
  const paths = Array.from({ length: 20 }, (_, index) => `/live/news/${index}.ts`);
  socket.write(paths.map((path) => get(path)).join(''));
  await waitFor(() => answer().includes('/live/news/19.ts'));
  assert.deepEqual(answer().match(/\/live\/news\/\d+\.ts/g), paths);
});

test('an upgrade behind a request that is not answered yet ends the connection', async () => {
  const origin = await endless();
  const weir = await edge();
  weir.register(endpoint('news', origin.address));
  const { socket, answer, closed } = player(weir);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  socket.write(
    get('/live/news.flv') + get('/live/news.flv', `${upgrade}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n`),
  );
  await closed;
  assert.equal(answer(), '');
});

test('a long body that comes with a request is not read, and the connection ends with the answer', async () => {
  const origin = await endless();
  const weir = await edge({ relay: { enabled: false }, hls: { mode: 'passthrough' } });
  weir.register(endpoint('news', origin.address));
  for (const head of ['Content-Length: 100000000\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const { socket, answer, closed } = player(weir);
    socket.write(get('/live/news/1.ts', head));
    await closed;
    assert.match(answer(), /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer(), /\r\nConnection: close\r\n/i);
  }
  const { socket, answer } = player(weir);
  socket.write(`${get('/live/news/2.ts', 'Content-Length: 5\r\n')}12345${get('/live/news/3.ts')}`);
  await waitFor(() => answer().includes('/live/news/3.ts'), { what: 'the answer behind a short body' });
});
