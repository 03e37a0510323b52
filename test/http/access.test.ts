// Signed URLs through a running data plane: who may not play gets nothing on any way in, and those who may share everything.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { parseKeys } from '../../src/access/access.js';
import { signUrl } from '../../src/access/signed-url.js';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane, testConfig } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const keys = 'k1:0123456789abcdef';

function sign(path: string, seconds = 600, keysOf = keys, viewer?: string): string {
  const [key] = parseKeys(keysOf);
  assert.ok(key !== undefined);
  const terms = { prefix: undefined, expiresAt: Date.now() / 1_000 + seconds, client: undefined, viewer };
  return signUrl(path, 'weir-token', terms, key) ?? '';
}

async function edge(settings: ConfigInput = {}): Promise<TestDataPlane> {
  const weir = await startDataPlane({ access: { keys }, ...settings });
  cleanups.push(() => weir.close());
  return weir;
}

async function hls(): Promise<{ weir: TestDataPlane; origin: SimulatedPackager }> {
  const origin = await new SimulatedPackager({ name: 'A', duration: 60 }).start();
  cleanups.push(() => origin.close());
  const weir = await edge({ hls: { playlistMaxAge: '60s', playlistShare: 1 } });
  weir.register(endpoint('news', origin.address));
  return { weir, origin };
}

const urisOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('viewers with tokens of their own are one session: each object is fetched once, and no origin sees a token', async () => {
  const { weir, origin } = await hls();
  const bodies = await Promise.all(
    Array.from({ length: 10 }, async (_, viewer) => {
      const url = sign('/live/news.m3u8', 600, keys, `user-${viewer}`);
      const playlist = await (await fetch(weir.url + url)).text();
      const uris = urisOf(playlist);
      assert.ok(uris.length > 3);
      const answers = await Promise.all(uris.map((uri) => fetch(new URL(uri, `${weir.url}/live/news.m3u8`))));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      return await Promise.all(answers.map((answer) => answer.text()));
    }),
  );
  for (const body of bodies) assert.deepEqual(body, bodies[0]);
  const asked = origin.requests.map(({ url = '' }) => url);
  assert.deepEqual(asked.sort(), [...new Set(asked)]);
  assert.ok(!asked.some((url) => url.includes('weir-token')), asked.join());
  assert.equal(await sessions(weir), 1);
});

async function sessions(weir: TestDataPlane): Promise<number> {
  weir.plane.collect();
  return await metricValue(weir.metrics, 'weir_hls_sessions');
}

test('a playlist, a segment, a byte range, a stream and a WebSocket are refused without a valid signature', async () => {
  const { weir, origin } = await hls();
  const playlist = await (await fetch(weir.url + sign('/live/news.m3u8'))).text();
  const segment = `/live/${urisOf(playlist)[0]}`;
  const isUntouched = origin.requests.length;
  const bad = (path: string) => [
    path.replace(/[?&]weir-token=[^&]*/, ''),
    sign(path, -1),
    sign(path, 600, 'k1:another secret!!'.replaceAll(' ', '-')),
    sign(path, 600, 'k2:0123456789abcdef'),
    sign(path).slice(0, -1),
    // Whoever may play something hears of what there is not.
    ...(path.includes('nothing') ? [] : [`${path}?${sign('/live/other.m3u8').split('?')[1]}`]),
  ];
  for (const path of ['/live/news.m3u8', segment.replace(/\?.*/, ''), '/live/news.flv', '/live/nothing.m3u8']) {
    for (const url of bad(path)) {
      for (const headers of [{}, { range: 'bytes=0-1' }] as Record<string, string>[]) {
        const answer = await fetch(weir.url + url, { headers });
        assert.equal(answer.status, 403, url);
        assert.match(await answer.text(), /not_admitted/);
      }
    }
  }
  for (const url of bad('/live/news.flv')) {
    const viewer = FlvViewer.open(`ws://127.0.0.1:${weir.port}${url}`);
    await waitFor(() => viewer.ended);
    assert.equal(viewer.status, 403);
  }
  assert.equal(origin.requests.length, isUntouched);
  assert.equal((await fetch(weir.url + sign('/live/nothing.m3u8'))).status, 404);
  assert.ok((await metricValue(weir.metrics, 'weir_access_refusals_total', { reason: 'expired' })) > 0);
});

test('before the first snapshot every player is told to come again, and an open channel that is not there is none', async () => {
  const weir = await edge({ access: { keys, open: ['free-*'] } });
  const status = async (path: string) => (await fetch(weir.url + path)).status;
  assert.equal(await status('/live/news.m3u8'), 503);
  assert.equal(await status('/live/free-1.m3u8'), 503);
  weir.register(endpoint('other', '127.0.0.1:9'));
  for (const path of ['/live/free-1.m3u8', '/live/free-1.flv', '/live/free-1/2.ts'])
    assert.equal(await status(path), 404);
  for (const path of ['/live/news.m3u8', '/live/news/free-1.ts']) assert.equal(await status(path), 403);
});

test('the second of two pipelined requests is asked for its own signature', async () => {
  const { weir } = await hls();
  const socket = connect(weir.port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  const head = (url: string) => `GET ${url} HTTP/1.1\r\nHost: e\r\n\r\n`;
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.write(head(sign('/live/news.m3u8')) + head('/live/news.m3u8'));
  await waitFor(() => text.includes('not_admitted'));
  assert.deepEqual(
    [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status),
    ['200', '403'],
  );
});

test('a running stream ends when the right to it does, over HTTP and WebSocket; one with more time goes on', async () => {
  const origin = await LiveOrigin.start();
  cleanups.push(() => origin.close());
  const weir = await edge();
  weir.register(endpoint('news', origin.address));
  const at = `127.0.0.1:${weir.port}`;
  const long = FlvViewer.open(`http://${at}${sign('/live/news.flv')}`);
  cleanups.push(() => long.leave());
  await waitFor(() => long.media.length > 0);
  const short = [`http://${at}`, `ws://${at}`].map((base) => FlvViewer.open(base + sign('/live/news.flv', 2)));
  await waitFor(() => short.every(({ media }) => media.length > 0));
  await waitFor(() => short.every(({ ended, error }) => ended || error !== undefined));
  const seen = long.media.length;
  await waitFor(() => long.media.length > seen);
  assert.equal(long.ended, false);
});

test('keys change while the edge runs: streams go on, and the new key counts at once', async () => {
  const origin = await LiveOrigin.start();
  cleanups.push(() => origin.close());
  const weir = await edge();
  weir.register(endpoint('news', origin.address));
  const viewer = FlvViewer.open(weir.url + sign('/live/news.flv'));
  cleanups.push(() => viewer.leave());
  await waitFor(() => viewer.media.length > 0);
  weir.plane.configure(testConfig({ access: { keys: 'k2:fedcba9876543210' } }));
  const status = async (path: string) => {
    const answer = await fetch(weir.url + path, { method: 'HEAD' });
    return answer.status;
  };
  assert.equal(await status(sign('/live/news.m3u8')), 403);
  assert.notEqual(await status(sign('/live/news.m3u8', 600, 'k2:fedcba9876543210')), 403);
  const seen = viewer.media.length;
  await waitFor(() => viewer.media.length > seen);
});
