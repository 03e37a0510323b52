// WebSocket viewers of a relayed stream who do what no player does, beside one who does as players do.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

async function edge(overrides: ConfigInput = {}): Promise<{ weir: TestDataPlane; origin: LiveOrigin }> {
  const origin = await LiveOrigin.start();
  cleanups.push(() => origin.close());
  const weir = await startDataPlane(overrides);
  cleanups.push(() => weir.close());
  weir.register(endpoint('news', origin.address));
  return { weir, origin };
}

async function play(weir: TestDataPlane): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${weir.port}/live/news.flv`);
  socket.on('error', () => undefined);
  cleanups.push(() => socket.terminate());
  await once(socket, 'message');
  return socket;
}

/** A client's frame, as bytes: a mask of zeros leaves the payload as it is. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extended = length < 126 ? Buffer.from([0x80 | length]) : Buffer.from([0xfe, length >> 8, length & 0xff]);
  return Buffer.concat([Buffer.from([first]), extended, Buffer.alloc(4), payload]);
}

/** Says things in the bytes of its own; resolves with the close code that it is answered. */
async function rawPlayer(
  weir: TestDataPlane,
  say: (write: (bytes: Buffer) => boolean) => void,
): Promise<number | undefined> {
  const socket = connect(weir.port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const chunks: Buffer[] = [];
  socket.write(
    'GET /live/news.flv HTTP/1.1\r\nHost: e\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  socket.on('data', (chunk) => chunks.push(chunk));
  say((bytes) => !socket.destroyed && socket.write(bytes));
  await closed;
  const answer = Buffer.concat(chunks);
  const close = answer.lastIndexOf(Buffer.from([0x88, 0x02]));
  return close < 0 ? undefined : answer.readUInt16BE(close + 2);
}

const attacks: [what: string, codes: (number | undefined)[], say: (write: (bytes: Buffer) => boolean) => void][] = [
  [
    'a message of 1 MB',
    [1009],
    (write) =>
      write(Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]), Buffer.alloc(1 << 20)])),
  ],
  [
    'fragments without end',
    [1008, 1009],
    (write) => {
      write(frame(0x02, Buffer.from('x')));
      for (let count = 0; count < 1_000; count += 1) write(frame(0x00, Buffer.from('x')));
    },
  ],
  [
    'empty fragments without end',
    [1008, 1009],
    (write) => {
      write(frame(0x02, Buffer.alloc(0)));
      for (let count = 0; count < 1_000; count += 1) write(frame(0x00, Buffer.alloc(0)));
    },
  ],
  [
    'pings without end',
    [1008],
    (write) => {
      for (let count = 0; count < 10_000; count += 1) write(frame(0x89, Buffer.alloc(125)));
    },
  ],
  [
    'pongs without end',
    [1008],
    (write) => {
      for (let count = 0; count < 10_000; count += 1) write(frame(0x8a, Buffer.alloc(125)));
    },
  ],
  [
    'small messages without end',
    [1008],
    (write) => {
      for (let count = 0; count < 10_000; count += 1) write(frame(0x81, Buffer.from('{}')));
    },
  ],
  ['a compressed message, which nobody agreed on', [1002], (write) => write(frame(0xc2, Buffer.from('x')))],
  ['a frame that is not masked', [1002], (write) => write(Buffer.from([0x82, 1, 0x78]))],
];

test('who says what no player says is closed with the code for it, and nobody else notices', async () => {
  const { weir, origin } = await edge();
  const good = FlvViewer.open(`ws://127.0.0.1:${weir.port}/live/news.flv`);
  cleanups.push(() => good.leave());
  for (const [what, codes, say] of attacks) {
    const code = await rawPlayer(weir, say);
    assert.ok(codes.includes(code), `${what}: ${code}`);
  }
  await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 1, { what: 'only one to be left' });
  assert.deepEqual([good.ended, good.stepsBack(), origin.pulls], [false, [], 1]);
});

test('some pings and small messages are nothing: pings are answered, the stream goes on', async () => {
  const { weir } = await edge();
  const socket = await play(weir);
  for (let count = 0; count < 5; count += 1) {
    socket.ping('hello');
    socket.send('{"alive":true}');
    assert.equal(String((await once(socket, 'pong'))[0]), 'hello');
  }
  await once(socket, 'message');
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test('what is no handshake is refused before any stream is started for it', async () => {
  const { weir, origin } = await edge();
  for (const fields of [
    'Sec-WebSocket-Version: 13\r\n',
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n',
    'Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, a\r\n',
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a b\r\n',
  ]) {
    const socket = connect(weir.port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    const upgrade = 'Host: e\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    socket.write(`GET /live/news.flv HTTP/1.1\r\n${upgrade}${fields}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 400 /, fields);
  }
  assert.equal(origin.pulls, 0);
  const counted = { protocol: 'ws-flv', status_class: '4xx' };
  await waitFor(async () => (await metricValue(weir.metrics, 'weir_http_requests_total', counted)) === 5);
});

test('a draining edge tells WebSocket viewers that it goes away, and waits for no one who does not hear it', async () => {
  const { weir } = await edge({ shutdown: { grace: '50ms' } });
  const [first, second] = [await play(weir), await play(weir)];
  const closes = [first, second].map((socket) => once(socket, 'close') as Promise<[number]>);
  const deaf = connect(weir.port, '127.0.0.1');
  cleanups.push(() => deaf.destroy());
  deaf.on('error', () => undefined);
  deaf.write('GET /live/news.flv HTTP/1.1\r\nHost: e\r\n\r\n');
  await once(deaf, 'data');
  deaf.pause();
  await weir.plane.drain();
  for (const closed of closes) assert.equal((await closed)[0], 1001);
});
