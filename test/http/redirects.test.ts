// Origins that redirect and compress, through a running data plane.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { flvFile, flvTag } from '../support/flv-bytes.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { startHttpOrigin, type TestOrigin } from '../support/origin-server.js';
import { type PackagerOptions, SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane({ hls: { playlistMaxAge: 0, masterMaxAge: 0, grace: '2s' }, ...overrides });
  cleanups.push(() => started.close());
  return started;
}
async function packager(options: PackagerOptions): Promise<SimulatedPackager> {
  const started = await new SimulatedPackager(options).start();
  cleanups.push(() => started.close());
  return started;
}
async function origin(...parameters: Parameters<typeof startHttpOrigin>): Promise<TestOrigin> {
  const started = await startHttpOrigin(...parameters);
  cleanups.push(() => started.close());
  return started;
}
/** Sends everybody there, whatever is asked. */
const dispatcher = (address: string, path: (url: string) => string = (url) => url) =>
  origin((request, response) =>
    response.writeHead(302, { location: `http://${address}${path(request.url ?? '')}` }).end(),
  );
const get = async (weir: TestDataPlane, path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(new URL(path, weir.url), { headers, redirect: 'manual' });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};
const urisOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

suite('a playlist that an origin redirects to another server', () => {
  test('is followed, and what it lists there comes through the edge, each object once', async () => {
    const node = await packager({ name: 'node' });
    const front = await dispatcher(node.address, (url) => url.replace('/live/', '/cdn/7/'));
    const weir = await edge();
    weir.register(endpoint('news', front.address));
    for (let player = 0; player < 3; player += 1) {
      const playlist = await get(weir, '/live/news.m3u8');
      assert.equal(playlist.status, 200, playlist.text);
      for (const [index, uri] of urisOf(playlist.text).entries()) {
        assert.match(uri, /^news\/news-\d\.ts\?weir=/);
        assert.equal((await get(weir, `/live/${uri}`)).text, node.body(index));
      }
    }
    assert.deepEqual(
      [...node.segmentCounts].sort(),
      [0, 1, 2, 3, 4, 5].map((number) => [`/cdn/7/news-${number}.ts`, 1]),
    );
    assert.equal(await metricValue(weir.metrics, 'weir_ejections_total'), 0);
  });

  test('its master too, with the variants beside it', async () => {
    const node = await packager({ name: 'node', variants: ['low.m3u8', 'high.m3u8'] });
    const front = await dispatcher(node.address, (url) => url.replace('/live/', '/cdn/'));
    const weir = await edge();
    weir.register(endpoint('news', front.address));
    const master = await get(weir, '/live/news.m3u8');
    const [, high = ''] = urisOf(master.text);
    const media = await get(weir, new URL(high, `${weir.url}/live/news.m3u8`).href);
    assert.equal(media.status, 200, media.text);
    const segment = new URL(urisOf(media.text)[0] ?? '', new URL(high, `${weir.url}/live/news.m3u8`));
    assert.equal((await get(weir, segment.href)).text, node.body(0));
    assert.deepEqual(
      [...node.segmentCounts.keys()].filter((path) => path.endsWith('-0.ts')),
      ['/cdn/high-news-0.ts'],
    );
  });

  test('credentials and cookies stay with the one they are for', async () => {
    const node = await packager({ name: 'node', headers: { 'set-cookie': 'node=1' } });
    const front = await origin((request, response) =>
      response.writeHead(302, { location: `http://${node.address}${request.url}`, 'set-cookie': 'front=1' }).end(),
    );
    const weir = await edge();
    weir.register(endpoint('news', front.address));
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await get(weir, '/live/news.m3u8', { authorization: 'Bearer x' })).status, 200);
    }
    const last = front.requests.at(-1)?.headers;
    assert.deepEqual([last?.authorization, last?.cookie], ['Bearer x', 'front=1']);
    assert.ok(node.requests.length > 2);
    for (const { headers } of node.requests) assert.equal(headers.authorization, undefined);
    const cookies = new Set(node.requests.map(({ headers }) => headers.cookie));
    assert.ok(!cookies.has('front=1') && cookies.has('node=1'), [...cookies].join());
  });

  test('to where nothing is allowed it fails that origin, and another one is asked', async () => {
    const good = await packager({ name: 'good' });
    const bad = await dispatcher('169.254.169.254');
    const weir = await edge();
    weir.register(endpoint('news', bad.address, { load: 0.1 }), endpoint('news', good.address, { load: 0.9 }));
    const playlist = await get(weir, '/live/news.m3u8');
    assert.equal(playlist.status, 200);
    assert.equal((await get(weir, `/live/${urisOf(playlist.text)[0]}`)).text, good.body(0));
  });
});

test('a player whose token is over is redirected to where nobody follows, and no endpoint is blamed', async () => {
  const node = await packager({ name: 'node' });
  const front = await origin((request, response) => {
    if (request.url?.includes('token=over')) response.writeHead(302, { location: 'https://login.example/' }).end();
    else response.end(request.url?.includes('.m3u8') ? node.playlist() : node.body(5));
  });
  const weir = await edge({ hls: { playlistMaxAge: 0, grace: '100ms' } });
  weir.register(endpoint('news', front.address));
  for (let i = 0; i < 8; i += 1) await get(weir, `/live/news.m3u8?token=over`);
  assert.equal(await metricValue(weir.metrics, 'weir_ejections_total'), 0);
  assert.equal((await get(weir, '/live/news.m3u8')).status, 200);
});

test('a segment that an origin redirects is followed, and kept like any other', async () => {
  const node = await packager({ name: 'node' });
  const front = await origin((request, response) => {
    if (request.url?.includes('.m3u8')) response.end(node.playlist());
    else response.writeHead(307, { location: `http://${node.address}/deep${request.url}` }).end();
  });
  const weir = await edge();
  weir.register(endpoint('news', front.address));
  const playlist = await get(weir, '/live/news.m3u8');
  for (let i = 0; i < 2; i += 1) {
    const segment = await get(weir, `/live/${urisOf(playlist.text).at(-1)}`);
    assert.deepEqual([segment.status, segment.text], [200, node.body(5)]);
  }
  assert.equal(node.segmentCounts.get('/deep/live/news-5.ts'), 1);
});

test('an FLV stream that an origin redirects is pulled from where it is', async () => {
  const keyframe = flvTag(9, 0, Buffer.from([0x17, 1, 0, 0, 0, 7]));
  const header = flvTag(9, 0, Buffer.from([0x17, 0, 0, 0, 0, 1]));
  const node = await origin((_request, response) => response.write(flvFile(false, true, [header, keyframe])));
  const front = await dispatcher(node.address, (url) => `/node${url}`);
  const weir = await edge();
  weir.register(endpoint('news', front.address));
  const viewer = FlvViewer.open(`${weir.url}/live/news.flv`);
  cleanups.push(() => viewer.leave());
  await waitFor(() => viewer.tags.some((tag) => tag.keyframe), { what: 'a picture' });
  assert.equal(node.requests[0]?.url, '/node/live/news.flv');
});

suite('compression that nobody asked for', () => {
  const packed = (node: SimulatedPackager, body: (text: string) => Buffer = gzipSync) =>
    origin((request, response) => {
      assert.equal(request.headers['accept-encoding'], 'identity');
      const segment = /-(\d)\.ts/.exec(request.url ?? '')?.[1];
      const text = segment === undefined ? node.playlist() : node.body(Number(segment));
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body(text));
    });

  test('a playlist is read all the same, a segment goes to the player as it is', async () => {
    const node = await packager({ name: 'node' });
    const weir = await edge();
    weir.register(endpoint('news', (await packed(node)).address));
    const playlist = await get(weir, '/live/news.m3u8');
    assert.deepEqual([playlist.status, playlist.headers.get('content-encoding')], [200, null]);
    const segment = await get(weir, `/live/${urisOf(playlist.text).at(-1)}`);
    assert.equal(segment.headers.get('content-encoding'), 'gzip');
    assert.equal(segment.text, node.body(5));
  });

  test('a bomb of a playlist is a bad response of its origin', async () => {
    const node = await packager({ name: 'node' });
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '\n'));
    const weir = await edge();
    weir.register(
      endpoint('news', (await packed(node, () => bomb)).address, { load: 0.1 }),
      endpoint('news', node.address, { load: 0.9 }),
    );
    const playlist = await get(weir, '/live/news.m3u8');
    assert.equal(playlist.status, 200);
    assert.equal((await get(weir, `/live/${urisOf(playlist.text)[0]}`)).text, node.body(0));
  });
});
