// Viewers who do not keep up, behind the real listener, beside one who does.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { collectGarbage } from '../support/garbage.js';
import { LiveOrigin } from '../support/live-origin.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

/** Bytes. */
const viewerBuffer = 1 << 20;

/** Bytes of a frame; five times a second one is a keyframe. At the origin's own pace that is 4 MB/s: the kernel's buffers fill soon. */
const frameSize = 80_000;

async function heavyStream(slowTimeout: string, byHand = false): Promise<{ weir: TestDataPlane; origin: LiveOrigin }> {
  const origin = await LiveOrigin.start({ frameSize, group: 200, byHand });
  cleanups.push(() => origin.close());
  const weir = await startDataPlane({
    relay: {
      slowTimeout,
      stallTimeout: '1h',
      mergeWindow: byHand ? 0 : '100ms',
      viewerBuffer: { size: `${viewerBuffer}B` },
      gopCache: { size: `${viewerBuffer}B` },
    },
  });
  cleanups.push(() => weir.close());
  weir.register(endpoint('news', origin.address));
  return { weir, origin };
}

/**
 * Streams until the condition holds, as fast as `viewer` reads. Less is under way than a viewer may hold: one that reads is
 * never slow, whatever else the machine does.
 */
async function streamUntil(
  origin: LiveOrigin,
  viewer: FlvViewer,
  what: string,
  condition: () => boolean | Promise<boolean>,
) {
  const most = Math.floor(viewerBuffer / 2 / frameSize);
  const seen = () => viewer.tags.findLast(({ frame }) => frame !== undefined)?.frame?.[1] ?? 0;
  await waitFor(
    () => {
      while (origin.frame - seen() < most) origin.nextFrame();
      return condition();
    },
    { what, deadline: 120_000 },
  );
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

/** Bytes of all buffers that something still refers to. */
function buffersInUse(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test('memory of slow viewers is bounded by what each may hold, and the others do not notice', async () => {
  const { weir, origin } = await heavyStream('1h', true);
  const good = FlvViewer.open(`${weir.url}/live/news.flv`);
  cleanups.push(() => good.leave());
  await waitFor(() => origin.viewers === 1, { what: 'the pull' });
  await streamUntil(origin, good, 'the stream', () => good.media.length > 50);
  const count = 20;
  const bound = count * viewerBuffer;
  const before = buffersInUse();
  for (let started = 0; started < count; started += 1) sleeper(weir);
  await streamUntil(origin, good, 'all to skip', async () => (await skips(weir)) === count);
  // Without a bound they would hold all of what is streamed from here on.
  const first = origin.frame;
  let most = 0;
  for (const share of [1, 2, 3, 4]) {
    await streamUntil(
      origin,
      good,
      'more of the stream',
      () => (origin.frame - first) * frameSize > (share * bound) / 2,
    );
    most = Math.max(most, buffersInUse() - before);
  }
  assert.ok(most < bound, `${most} bytes are held for ${count} viewers`);
  assert.equal(await skips(weir), count, 'who sleeps skips once');
  assert.deepEqual([good.ended, good.stepsBack()], [false, []]);
  const frames = good.tags.flatMap(({ frame }) => (frame === undefined ? [] : [frame[1]]));
  assert.deepEqual(
    frames,
    Array.from(frames, (_, index) => index + 1),
    'every frame, once',
  );
});

test('who stays slow is closed and counted; who wakes in time goes on with a keyframe', async () => {
  const { weir, origin } = await heavyStream('3s', true);
  const good = FlvViewer.open(`${weir.url}/live/news.flv`);
  cleanups.push(() => good.leave());
  await waitFor(() => origin.viewers === 1, { what: 'the pull' });
  const late = sleeper(weir);
  await streamUntil(origin, good, 'it to skip', async () => (await skips(weir)) === 1);
  let bytes = 0;
  late.on('data', (chunk) => {
    bytes += chunk.length;
  });
  late.resume();
  const sleptThrough = (origin.frame + 1) * frameSize;
  await streamUntil(origin, good, 'more than it slept through', () => bytes > sleptThrough);
  const never = sleeper(weir);
  const closes = () => metricValue(weir.metrics, 'weir_relay_slow_closes_total');
  await streamUntil(origin, good, 'the close', async () => (await closes()) > 0);
  const seen = bytes;
  await streamUntil(origin, good, 'more of the stream', () => bytes > seen + 5_000_000);
  never.resume();
  await waitFor(() => never.closed || never.readableEnded, { what: 'the end of the sleeper' });
  assert.equal(await closes(), 1);
  assert.equal(weir.plane.relays()[0]?.viewers.http, 2);
});

test('a WebSocket viewer who stays slow is closed like any other', async () => {
  const { weir } = await heavyStream('1s');
  sleeper(weir, webSocket);
  await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 1, { what: 'the viewer' });
  await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 0, { what: 'the close', deadline: 60_000 });
  assert.equal(await metricValue(weir.metrics, 'weir_relay_slow_closes_total'), 1);
});
