// Viewers who do not keep up, behind the real listener, beside one who does.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

/** Bytes. */
const viewerBuffer = 1 << 20;

/** A stream of 4 MB/s, so that the kernel's buffers fill soon. */
async function heavyStream(slowTimeout: string): Promise<TestDataPlane> {
  const origin = await LiveOrigin.start({ frameSize: 80_000, group: 200 });
  cleanups.push(() => origin.close());
  const weir = await startDataPlane({
    relay: { slowTimeout, viewerBuffer: { size: `${viewerBuffer}B` }, gopCache: { size: `${viewerBuffer}B` } },
  });
  cleanups.push(() => weir.close());
  weir.register(endpoint('news', origin.address));
  return weir;
}

/** Asks for the stream and reads nothing. */
function sleeper(weir: TestDataPlane, fields = 'Connection: close\r\n'): Socket {
  const socket = connect(weir.port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET /live/news.flv HTTP/1.1\r\nHost: e\r\n${fields}\r\n`);
  return socket;
}
const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const skips = (weir: TestDataPlane) => metricValue(weir.metrics, 'weir_relay_skips_total');

test('memory of slow viewers is bounded by what each may hold, and the others do not notice', async () => {
  const weir = await heavyStream('60s');
  const good = FlvViewer.open(`${weir.url}/live/news.flv`);
  cleanups.push(() => good.leave());
  await waitFor(() => good.media.length > 50);
  const count = 20;
  const before = process.memoryUsage().arrayBuffers;
  for (let started = 0; started < count; started += 1) sleeper(weir);
  await waitFor(async () => (await skips(weir)) === count, { what: 'all to skip', deadline: 60_000 });
  let most = 0;
  for (let sample = 0; sample < 20; sample += 1) {
    await sleep(100);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  assert.ok(most < count * viewerBuffer, `${most} bytes are held for ${count} viewers`);
  assert.equal(await skips(weir), count, 'who sleeps skips once');
  assert.deepEqual([good.ended, good.stepsBack()], [false, []]);
  assert.ok(good.largestGap(9) < 100);
});

test('who stays slow is closed and counted; who wakes in time goes on with a keyframe', async () => {
  const weir = await heavyStream('3s');
  const [late, never] = [sleeper(weir), sleeper(weir)];
  await waitFor(async () => (await skips(weir)) === 2, { what: 'both to skip', deadline: 60_000 });
  let bytes = 0;
  late.on('data', (chunk) => {
    bytes += chunk.length;
  });
  late.resume();
  await waitFor(() => metricValue(weir.metrics, 'weir_relay_slow_closes_total'), { what: 'the close' });
  const seen = bytes;
  await waitFor(() => bytes > seen + 5_000_000, { what: 'more of the stream' });
  never.resume();
  await waitFor(() => never.closed || never.readableEnded, { what: 'the end of the sleeper' });
  assert.equal(await metricValue(weir.metrics, 'weir_relay_slow_closes_total'), 1);
  assert.equal(weir.plane.relays()[0]?.viewers.http, 1);
});

test('a WebSocket viewer who stays slow is closed like any other', async () => {
  const weir = await heavyStream('1s');
  sleeper(weir, webSocket);
  await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 1, { what: 'the viewer' });
  await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 0, { what: 'the close', deadline: 60_000 });
  assert.equal(await metricValue(weir.metrics, 'weir_relay_slow_closes_total'), 1);
});
