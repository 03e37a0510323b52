// The whole way of an HLS request through a data plane, in front of simulated origins.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { beforeEach, suite, test } from 'node:test';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { LivePlaylistChecker, readMediaPlaylist } from '../support/hls-checker.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { type PackagerOptions, SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
let checker: LivePlaylistChecker;
beforeEach(() => {
  checker = new LivePlaylistChecker();
});

async function packager(options: PackagerOptions): Promise<SimulatedPackager> {
  const started = await new SimulatedPackager(options).start();
  cleanups.push(() => started.close());
  return started;
}

/** Playlists are asked for anew each time, so that a test need not wait. */
async function edge(settings: ConfigInput['hls'] = {}, others: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane({
    ...others,
    hls: { playlistMaxAge: 0, masterMaxAge: 0, grace: '2s', ...settings },
  });
  cleanups.push(() => started.close());
  return started;
}

async function get(weir: TestDataPlane, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, weir.url), { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A reload as a player makes it, checked against what it saw before. */
async function reload(weir: TestDataPlane, path = '/live/news.m3u8'): Promise<string> {
  const { status, text } = await get(weir, path);
  assert.equal(status, 200, text);
  checker.see(text);
  assert.deepEqual(checker.violations, []);
  return text;
}

/** For waits of a second and more. */
const aPlayersPace = { interval: 100 };

const urisOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Downloads every listed segment; returns the bodies. */
async function download(weir: TestDataPlane, text: string, base = '/live/news.m3u8'): Promise<string[]> {
  const bodies: string[] = [];
  for (const uri of urisOf(text)) {
    const answer = await get(weir, new URL(uri, `${weir.url}${base}`).href);
    assert.equal(answer.status, 200, uri);
    bodies.push(answer.text);
  }
  return bodies;
}

const loads = { a: { load: 0.1 }, b: { load: 0.5 } };
async function pair(options: { a?: Partial<PackagerOptions>; b?: Partial<PackagerOptions> } = {}, settings = {}) {
  const a = await packager({ name: 'A', first: 10, ...options.a });
  const b = await packager({ name: 'B', first: 500, ...options.b });
  const weir = await edge(settings);
  weir.register(endpoint('news', a.address, loads.a), endpoint('news', b.address, loads.b));
  return { a, b, weir };
}

suite('fetching once', () => {
  test('a playlist and its segments are fetched once for all players', async () => {
    // Long enough for a busy machine: a playlist is used again for a part of it.
    const a = await packager({ name: 'A', duration: 60 });
    const weir = await edge({ playlistMaxAge: '60s', playlistShare: 1 });
    weir.register(endpoint('news', a.address));
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { text } = await get(weir, '/live/news.m3u8');
        const bodies = await download(weir, text);
        assert.deepEqual(
          bodies,
          [0, 1, 2, 3, 4, 5].map((sequence) => a.body(sequence)),
        );
      }),
    );
    assert.deepEqual([...a.counts.values()], Array(7).fill(1));
    assert.ok((await metricValue(weir.metrics, 'weir_hls_saved_bytes_total')) > 7 * 6 * 1000);
  });

  test('HEAD, Range and If-None-Match are answered from what is stored', async () => {
    const a = await packager({ name: 'A', segmentHeaders: { etag: '"5"' } });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const uri = `/live/${urisOf(await reload(weir)).at(-1)}`;
    const head = await fetch(weir.url + uri, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(a.body(5).length));
    const range = await get(weir, uri, { range: 'bytes=0-5' });
    assert.deepEqual([range.status, range.text], [206, a.body(5).slice(0, 6)]);
    assert.equal((await get(weir, uri, { 'if-none-match': '"5"' })).status, 304);
    assert.equal((await get(weir, uri, { range: 'bytes=99999-' })).status, 416);
    assert.equal(a.segmentCounts.get('/live/news-5.ts'), 1);
    const playlist = await get(weir, '/live/news.m3u8');
    const again = await get(weir, '/live/news.m3u8', { 'if-none-match': playlist.headers.get('etag') ?? '' });
    assert.equal(again.status, 304);
  });

  test('an object that is too large passes through, ranges of it too', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ maxObject: '100B' });
    weir.register(endpoint('news', a.address));
    const uri = `/live/${urisOf(await reload(weir)).at(-1)}`;
    assert.equal((await get(weir, uri)).text, a.body(5));
    // This origin knows no ranges: it sends the whole.
    assert.equal((await get(weir, uri, { range: 'bytes=0-5' })).text, a.body(5));
  });

  test('what an origin forbids to store is fetched for each player, playlists too', async () => {
    const headers = { 'cache-control': 'no-store' };
    const a = await packager({ name: 'A', headers, segmentHeaders: headers });
    const weir = await edge({ prefetch: false });
    weir.register(endpoint('news', a.address));
    const uri = `/live/${urisOf(await reload(weir)).at(-1)}`;
    for (let count = 0; count < 3; count++) assert.equal((await get(weir, uri)).text, a.body(5));
    assert.equal(a.segmentCounts.get('/live/news-5.ts'), 3);
  });

  test('with a list of parameters that count, no other sets players apart or reaches an origin, and each player keeps its own', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ keyedParameters: ['quality'], playlistMaxAge: '10s', playlistShare: 1 });
    weir.register(endpoint('news', a.address));
    const uris = await Promise.all(
      ['?_=1&quality=2', '?quality=2&_=2', '?quality=2', '?quality=2&session=x"y'].map(async (query) => {
        const { text } = await get(weir, `/live/news.m3u8${query}`);
        const uri = urisOf(text).at(-1) ?? '';
        assert.equal((await get(weir, `/live/${uri}`)).text, a.body(5));
        return uri.replace(/weir=.*/, '');
      }),
    );
    assert.deepEqual(uris, [
      'news-5.ts?quality=2&_=1&',
      'news-5.ts?quality=2&_=2&',
      'news-5.ts?quality=2&',
      'news-5.ts?quality=2&session=x%22y&',
    ]);
    assert.equal(a.segmentCounts.get('/live/news-5.ts'), 1);
    assert.deepEqual([...new Set(a.requests.map(({ url = '' }) => url.replace(/^[^?]*/, '')))], ['?quality=2']);
    weir.plane.collect();
    assert.equal(await metricValue(weir.metrics, 'weir_hls_sessions'), 1);
  });

  test('players with different queries or credentials share nothing; parameters that a setting names do not count', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ unkeyedParameters: ['viewer'], playlistMaxAge: '10s', playlistShare: 1 });
    weir.register(endpoint('news', a.address));
    const first = await get(weir, '/live/news.m3u8?token=one&viewer=1');
    const uri = urisOf(first.text).at(-1) ?? '';
    assert.match(uri, /^news-5\.ts\?token=one&viewer=1&weir=/);
    await get(weir, `/live/${uri}`);
    const second = await get(weir, '/live/news.m3u8?token=one&viewer=2');
    assert.match(urisOf(second.text).at(-1) ?? '', /\?token=one&viewer=2&weir=/, 'never the query of another');
    assert.doesNotMatch(second.text, /viewer=1/);
    await get(weir, '/live/news.m3u8?token=two');
    await get(weir, '/live/news.m3u8', { authorization: 'Bearer x' });
    await get(weir, '/live/news.m3u8', { authorization: 'Bearer y' });
    const asked = a.requests.filter((request) => request.url?.includes('.m3u8'));
    assert.deepEqual(
      asked.map(({ url, headers }) => [url, headers.authorization]),
      [
        ['/live/news.m3u8?token=one&viewer=1', undefined],
        ['/live/news.m3u8?token=two', undefined],
        ['/live/news.m3u8', 'Bearer x'],
        ['/live/news.m3u8', 'Bearer y'],
      ],
    );
    const segments = a.requests.filter((request) => request.url?.startsWith('/live/news-5.ts'));
    assert.ok(
      segments.every(({ url }) => !url?.includes('weir=')),
      'the pin never reaches an origin',
    );
    assert.equal(segments.filter(({ url }) => url?.includes('token=one')).length, 1);
  });
});

suite('the query of a player', () => {
  test('may hold what replacement strings give a meaning to: the playlist has it as it is', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const plain = await get(weir, '/live/news.m3u8');
    for (const own of [`a=${"$'".repeat(30)}`, 'a=$`$&$$']) {
      const { status, text } = await get(weir, `/live/news.m3u8?${own}`);
      assert.equal(status, 200);
      assert.equal(text, plain.text.split('?weir=').join(`?${new URL(`http://h/?${own}`).search.slice(1)}&weir=`));
    }
  });

  test('that would make a playlist grow beyond all measure is refused, and harms nobody else', async () => {
    const a = await packager({ name: 'A', size: 5000 });
    const weir = await edge({ prefetch: false });
    weir.register(endpoint('news', a.address));
    assert.equal((await get(weir, `/live/news.m3u8?a=${'x'.repeat(3000)}`)).status, 414);
    assert.equal((await get(weir, '/live/news.m3u8?a=x')).status, 200);
  });

  test('cannot end an attribute of the playlist', async () => {
    const a = await packager({ name: 'A', extra: '#EXT-X-MAP:URI="news-init.mp4"\n' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const text = await new Promise<string>((resolve, reject) => {
      request(`${weir.url}/live/news.m3u8`, { path: '/live/news.m3u8?a=%22"b' }, (response) => {
        response.setEncoding('utf8');
        let body = '';
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve(body));
      })
        .on('error', reject)
        .end();
    });
    assert.match(text, /#EXT-X-MAP:URI="news-init\.mp4\?a=%22%22b&weir=[^"]*"\n/);
  });
});

suite('what a playlist lists', () => {
  const noCache = { 'cache-control': 'no-cache' };
  const segments = (origin: SimulatedPackager) => Math.max(...origin.segmentCounts.values());

  test('is fetched once though its origin wants to be asked each time, and stays when the origin dies', async () => {
    const { a, weir } = await pair({ a: { headers: noCache, segmentHeaders: noCache } });
    const text = await reload(weir);
    for (let count = 0; count < 3; count += 1) await download(weir, text);
    assert.equal(segments(a), 1);
    await a.close();
    const after = await reload(weir);
    assert.deepEqual(urisOf(after).slice(0, 5), urisOf(text).slice(1), 'an origin that dies takes nothing with it');
    await download(weir, after);
  });

  test('is not what a stranger got who asked before it was listed', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ errorMaxAge: '1h' });
    weir.register(endpoint('news', a.address));
    const [, pin] = /(\?weir=.*)/.exec(urisOf(await reload(weir)).at(-1) ?? '') ?? [];
    a.missing.add(6);
    assert.equal((await get(weir, `/live/news-6.ts${pin}`)).status, 404);
    const half = a.body(7).slice(0, 50);
    const whole = a.body.bind(a);
    a.body = (sequence) => (sequence === 7 ? half : whole(sequence));
    assert.equal((await get(weir, `/live/news-7.ts${pin}`)).text, half);
    a.missing.clear();
    a.body = whole;
    a.grow(2);
    const text = await reload(weir);
    assert.match(text, /news-7/);
    assert.deepEqual((await download(weir, text)).slice(-2), [a.body(6), a.body(7)]);
  });

  test('is asked for again by who is a little behind, and is still here', async () => {
    const a = await packager({ name: 'A', segmentHeaders: noCache });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const text = await reload(weir);
    await download(weir, text);
    a.grow(4);
    await reload(weir);
    for (const sequence of [0, 1]) a.missing.add(sequence);
    await download(weir, text);
    assert.equal(segments(a), 1);
  });

  test('is another object than what a player may name besides, of which the origin is asked again', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ objectMinAge: 0, objectMaxAge: 0 });
    weir.register(endpoint('news', a.address));
    await reload(weir);
    const uri = `/live/${urisOf(await reload(weir)).at(-1)}`;
    await waitFor(() => weir.plane.hls().cache.objects === 3, { what: 'what is fetched ahead' });
    for (const more of ['', '.k1', '..77', '.x.r5']) {
      for (let count = 0; count < 2; count += 1) assert.equal((await get(weir, uri + more)).text, a.body(5));
    }
    assert.equal(a.segmentCounts.get('/live/news-5.ts'), 1 + 2 * 3);
    assert.equal(weir.plane.hls().cache.objects, 3 + 2, 'whatever a pin says, it is one object, or a range of it');
  });
});

test('a playlist with an ETag is asked for only if it has changed', async () => {
  let version = 1;
  const statuses: number[] = [];
  const origin = await startHttpOrigin((request, response) => {
    const etag = `"${version}"`;
    response.setHeader('etag', etag);
    const status = request.headers['if-none-match'] === etag ? 304 : 200;
    statuses.push(status);
    const head = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${version}\n`;
    const lines = [0, 1, 2, 3].map((index) => `#EXTINF:2,\nnews-${version + index}.ts\n`);
    response.writeHead(status).end(status === 304 ? undefined : head + lines.join(''));
  });
  cleanups.push(() => origin.close());
  const weir = await edge({ prefetch: false });
  weir.register(endpoint('news', origin.address));
  await reload(weir);
  assert.match(await reload(weir), /news-4/);
  version = 2;
  assert.match(await reload(weir), /news-5/);
  await reload(weir);
  assert.deepEqual(statuses, [200, 304, 200, 304]);
});

test('a playlist is used for a while though its origin wants to be asked each time', async () => {
  const a = await packager({ name: 'A', duration: 60, headers: { 'cache-control': 'no-cache' } });
  const weir = await edge({ playlistMaxAge: '60s', playlistMinAge: '60s', playlistShare: 1 });
  weir.register(endpoint('news', a.address));
  for (let count = 0; count < 5; count += 1) await reload(weir);
  assert.equal(a.counts.get('/live/news.m3u8'), 1);
});

suite('names that come round', () => {
  test('stand for the segment of their number, and an initialisation section for that of its period', async () => {
    let first = 0;
    /** The encoder was started anew for this one, and wrote its initialisation section again. */
    const anew = 10;
    const listed = () => [0, 1, 2, 3].map((index) => first + index);
    const origin = await startHttpOrigin((request, response) => {
      const path = request.url?.split('?', 1)[0] ?? '';
      // A ring of six files: a name has the bytes of the last segment that was written there.
      const slot = /ring-(\d)\.m4s$/.exec(path)?.[1];
      if (path.endsWith('.mp4')) response.end(`init ${first + 3 < anew ? 0 : 1}`);
      else if (slot !== undefined) response.end(`segment ${listed().find((number) => number % 6 === Number(slot))}`);
      else {
        const lines = listed().map((number) => {
          const cut = number === anew ? '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init.mp4"\n' : '';
          return `${cut}#EXTINF:2.000,\nring-${number % 6}.m4s\n`;
        });
        const head = '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n';
        const numbers = `#EXT-X-MEDIA-SEQUENCE:${first}\n#EXT-X-DISCONTINUITY-SEQUENCE:${first > anew ? 1 : 0}\n`;
        response.end(`${head}${numbers}#EXT-X-MAP:URI="init.mp4"\n${lines.join('')}`);
      }
    });
    cleanups.push(() => origin.close());
    const weir = await edge();
    weir.register(endpoint('news', `http://${origin.address}/hls`));
    const seen = new Map<number, string>();
    const inits = new Map<string, string>();
    for (; first < 20; first += 1) {
      const text = await reload(weir);
      for (const { sequence, uri } of readMediaPlaylist(text).segments) {
        if (!seen.has(sequence)) seen.set(sequence, (await get(weir, `/live/${uri}`)).text);
      }
      for (const [, uri = ''] of text.matchAll(/EXT-X-MAP:URI="([^"]+)"/g)) {
        const bytes = (await get(weir, `/live/${uri}`)).text;
        assert.equal(inits.get(uri) ?? bytes, bytes, 'one URL, one object');
        inits.set(uri, bytes);
      }
    }
    assert.deepEqual(
      [...seen],
      Array.from({ length: 23 }, (_, number) => [number, `segment ${number}`]),
    );
    assert.deepEqual([...inits.values()], ['init 0', 'init 1']);
  });
});

suite('what a segment needs', () => {
  test('keys and byte ranges come through the edge, each fetched once', async () => {
    const file = Buffer.from(Array.from({ length: 600 }, (_, index) => index % 251));
    const origin = await startHttpOrigin((request, response) => {
      if (request.url?.includes('.key')) response.end('0123456789abcdef');
      else if (request.url?.includes('.m3u8')) {
        const ranges = [0, 1, 2, 3, 4].map(
          (part) => `#EXTINF:1,\n#EXT-X-BYTERANGE:100${part === 0 ? '@50' : ''}\nall.ts\n`,
        );
        const head = '#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="news.key"\n';
        response.end(head + ranges.join(''));
      } else {
        const [, from = 0, to = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
        response.writeHead(206, { 'content-range': `bytes ${from}-${to}/600` });
        response.end(file.subarray(Number(from), Number(to) + 1));
      }
    });
    cleanups.push(() => origin.close());
    const weir = await edge();
    weir.register(endpoint('news', origin.address));
    const text = await reload(weir);
    const key = /URI="([^"]+)"/.exec(text)?.[1];
    assert.match(key ?? '', /^news\.key\?weir=/);
    const segments = readMediaPlaylist(text).segments;
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await get(weir, `/live/${key}`)).text, '0123456789abcdef');
      for (const { uri, range } of segments) {
        const [length = 0, offset = 0] = (range ?? '').split('@').map(Number);
        const response = await fetch(new URL(uri, `${weir.url}/live/`), {
          headers: { range: `bytes=${offset}-${offset + length - 1}` },
        });
        assert.equal(response.status, 206);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), file.subarray(offset, offset + length));
      }
    }
    assert.equal(origin.requests.filter(({ url }) => url?.includes('.key')).length, 1);
    assert.equal(origin.requests.filter(({ url }) => url?.includes('.ts')).length, 5);
  });

  test('an object without a pin is shared for a second only, since nobody says whose it is', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    for (let count = 0; count < 5; count += 1) assert.equal((await get(weir, '/live/news-3.ts')).text, a.body(3));
    assert.equal(a.segmentCounts.get('/live/news-3.ts'), 1);
    await waitFor(async () => {
      await get(weir, '/live/news-3.ts');
      return a.segmentCounts.get('/live/news-3.ts') === 2;
    }, aPlayersPace);
  });
});

suite('a switch', () => {
  test('an object whose endpoint leaves the registry while it is asked for comes from no other one', async () => {
    const { a, b, weir } = await pair({ b: { first: 10 } }, { prefetch: false });
    const uri = `/live/${urisOf(await reload(weir)).at(-1)}`;
    a.silent = true;
    const answer = get(weir, uri);
    await waitFor(() => a.requests.some(({ url }) => url?.includes('news-15.ts')));
    weir.register(endpoint('news', b.address, loads.b));
    await a.close();
    assert.ok((await answer).status >= 500);
    assert.equal(b.segmentCounts.get('/live/news-15.ts'), undefined);
  });

  test('an endpoint that is gone from the registry is left at once, and its segments still download', async () => {
    const { a, b, weir } = await pair();
    await download(weir, await reload(weir));
    weir.register(endpoint('news', b.address, loads.b));
    await a.close();
    const text = await reload(weir);
    assert.match(text, /#EXT-X-DISCONTINUITY\n#EXTINF:2.000,\nnews-505\.ts/);
    const bodies = await download(weir, text);
    assert.ok(bodies[0]?.startsWith('A life 0'));
    assert.ok(bodies.at(-1)?.startsWith('B life 0'));
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'gone' }), 1);
  });

  test('an origin that dies is left within the request, without an error for the player', async () => {
    const { a, weir } = await pair();
    await download(weir, await reload(weir));
    await a.close();
    await download(weir, await reload(weir));
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'upstream' }), 1);
  });

  test('what was listed and nobody fetched leaves the list with its origin', async () => {
    const { a, weir } = await pair();
    for (let count = 0; count < 2; count += 1) await reload(weir);
    // The three at the edge were fetched ahead.
    await waitFor(() => weir.plane.hls().cache.objects === 3, { what: 'all three to have arrived' });
    await a.close();
    const text = await reload(weir);
    await download(weir, text);
    assert.equal(urisOf(text).filter((uri) => uri.startsWith('news-1')).length, 3);
  });

  test('a segment that is listed and not there never reaches a player', async () => {
    const { a, weir } = await pair();
    await reload(weir);
    a.grow();
    a.missing.add(16);
    const text = await reload(weir);
    assert.doesNotMatch(text, /news-16/);
    assert.match(text, /news-505/);
    await download(weir, text);
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'segment' }), 1);
  });

  test('so does one that ends short', async () => {
    const { a, weir } = await pair();
    await reload(weir);
    a.grow();
    a.short.add(16);
    assert.doesNotMatch(await reload(weir), /news-16/);
  });

  test('without another endpoint, what is listed stays listed', async () => {
    const a = await packager({ name: 'A', first: 10 });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    await reload(weir);
    a.grow();
    a.missing.add(16);
    assert.match(await reload(weir), /news-16/);
  });

  test('a playlist that stops growing is a stall', async () => {
    const { a, weir } = await pair({ a: { duration: 1 }, b: { duration: 1 } });
    await download(weir, await reload(weir));
    a.frozen = true;
    const text = await waitFor(async () => {
      const now = await reload(weir);
      return now.includes('news-505') ? now : undefined;
    }, aPlayersPace);
    await download(weir, text);
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'stall' }), 1);
  });

  test('an origin that answers nothing is a stall too, and players get the last playlist meanwhile', async () => {
    const { a, weir } = await pair({ a: { duration: 1 }, b: { duration: 1 } });
    await download(weir, await reload(weir));
    a.silent = true;
    await waitFor(async () => (await reload(weir)).includes('news-505'), aPlayersPace);
    assert.ok((await metricValue(weir.metrics, 'weir_hls_switches_total')) === 1);
  });

  test('an end is kept from players while another endpoint goes on', async () => {
    const { a, weir } = await pair();
    await reload(weir);
    a.ended = true;
    // Where the other endpoint is late, the last playlist comes once more.
    const text = await waitFor(async () => {
      const seen = await reload(weir);
      assert.doesNotMatch(seen, /ENDLIST/);
      return seen.includes('news-505') ? seen : undefined;
    });
    assert.match(text, /news-505/);
  });

  test('an end of all is told after the grace', async () => {
    const a = await packager({ name: 'A', first: 10 });
    const weir = await edge({ grace: '200ms' });
    weir.register(endpoint('news', a.address));
    await reload(weir);
    a.ended = true;
    assert.doesNotMatch(await reload(weir), /ENDLIST/);
    await waitFor(async () => (await reload(weir)).includes('ENDLIST'));
  });

  test('an origin that restarts goes on in the same numbers, and its names mean new segments', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    await download(weir, await reload(weir));
    a.restart(0);
    const text = await reload(weir);
    const bodies = await download(weir, text);
    assert.match(text, /#EXT-X-DISCONTINUITY\n/);
    assert.ok(bodies.at(-1)?.startsWith('A life 1 segment 0'), bodies.at(-1));
  });

  test('to an origin that shares the packaging there is no discontinuity, when the bytes are the same', async () => {
    const same = { name: 'same', first: 10 };
    const { a, weir } = await pair({ a: same, b: { ...same, first: 11 } });
    await download(weir, await reload(weir));
    await a.close();
    const text = await reload(weir);
    assert.doesNotMatch(text, /DISCONTINUITY/);
    assert.match(text, /news-16/);
    await download(weir, text);
  });

  test('equal names with other bytes are a discontinuity', async () => {
    const { a, weir } = await pair({ a: { first: 10 }, b: { first: 11 } });
    await download(weir, await reload(weir));
    await a.close();
    const text = await reload(weir);
    assert.match(text, /#EXT-X-DISCONTINUITY\n/);
    await download(weir, text);
  });

  test('a better score moves a session, but not more often than the interval allows', async () => {
    const { a, b, weir } = await pair({}, { switchInterval: 0 });
    await reload(weir);
    const better = { load: 0.9, version: 2 };
    weir.register(endpoint('news', a.address, better), endpoint('news', b.address, loads.b));
    assert.match(await reload(weir), /news-505/);
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'score' }), 1);
  });
});

suite('while there is nothing to fetch from', () => {
  test('the last playlist is served for the grace, then 503; a new origin goes on with it', async () => {
    const a = await packager({ name: 'A', first: 10 });
    const weir = await edge({ grace: '600ms' });
    weir.register(endpoint('news', a.address));
    await download(weir, await reload(weir));
    weir.register();
    assert.equal((await get(weir, '/live/news.m3u8')).status, 200, 'out of the registry');
    await waitFor(async () => (await get(weir, '/live/news.m3u8')).status !== 200);
    const b = await packager({ name: 'B', first: 500 });
    weir.register(endpoint('news', b.address));
    assert.match(await reload(weir), /news-505/);
  });

  test('a first request is held until an endpoint answers', async () => {
    const a = await packager({ name: 'A', first: 10 });
    a.status = 503;
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const asked = get(weir, '/live/news.m3u8');
    await waitFor(() => a.requests.length > 1);
    a.status = 200;
    assert.equal((await asked).status, 200);
  });

  test('a first request is answered 503 with Retry-After when the grace is over', async () => {
    const a = await packager({ name: 'A' });
    a.status = 503;
    const weir = await edge({ grace: '300ms' });
    weir.register(endpoint('news', a.address));
    const answer = await get(weir, '/live/news.m3u8');
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '1');
  });

  test('a playlist that no origin has is 404 at once, and moves nobody', async () => {
    const { a, b, weir } = await pair({ a: { variants: ['only.m3u8'] }, b: {} });
    await reload(weir, '/live/news.m3u8').catch(() => undefined);
    a.status = 404;
    const answer = await get(weir, '/live/news/none.m3u8');
    assert.equal(answer.status, 404);
    assert.equal(b.requests.length, 0);
  });
});

suite('origins with sessions of their own', () => {
  test("SRS's context stays at the edge, and is asked for again when the origin forgot it", async () => {
    const a = await packager({ name: 'A', session: 'ctx' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    for (let count = 0; count < 3; count++) {
      const text = await reload(weir);
      assert.doesNotMatch(text, /hls_ctx|STREAM-INF/);
      await download(weir, text);
      a.grow();
      if (count === 1) a.forgetSessions();
    }
    const contexts = new Set(a.requests.flatMap(({ url }) => /hls_ctx=(\w+)/.exec(url ?? '')?.[1] ?? []));
    assert.deepEqual([...contexts], ['s1', 's2']);
    assert.equal(Math.max(...a.segmentCounts.values()), 1);
  });

  for (const session of ['cookie', 'query'] as const) {
    test(`a session by ${session} is the edge's, and begun anew after a 401`, async () => {
      const a = await packager({ name: 'A', session, variants: ['low.m3u8', 'high.m3u8'] });
      const weir = await edge();
      weir.register(endpoint('news', a.address));
      const master = await get(weir, '/live/news/index.m3u8');
      assert.doesNotMatch(master.text, /session=/);
      assert.equal(master.headers.get('set-cookie'), null);
      const variant = `/live/news/${urisOf(master.text)[1]}`;
      const text = await reload(weir, variant);
      assert.doesNotMatch(text, /session=/);
      await download(weir, text, variant);
      a.forgetSessions();
      a.grow();
      assert.match(await reload(weir, variant), /high-news-6/);
    });
  }

  test('a session in the segments of a plain playlist is kept, too; what differs between them is none', async () => {
    const asked: string[] = [];
    let each = false;
    const origin = await startHttpOrigin((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://origin');
      if (pathname.endsWith('.ts')) {
        const [, number = ''] = /-(\d+)\.ts$/.exec(pathname) ?? [];
        const isValid = searchParams.get('session') === (each ? `s${number}` : 's');
        asked.push(request.url ?? '');
        response.writeHead(isValid ? 200 : 401).end('segment');
        return;
      }
      const lines = [1, 2, 3, 4].map((number) => `#EXTINF:2,\nnews-${number}.ts?session=s${each ? number : ''}\n`);
      response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:2\n${lines.join('')}`);
    });
    cleanups.push(() => origin.close());
    for (each of [false, true]) {
      const weir = await edge({ prefetch: false });
      weir.register(endpoint('news', origin.address));
      const text = await reload(weir);
      assert.equal(text.includes('session='), each, 'players see what only they can bring back');
      await download(weir, text);
      checker = new LivePlaylistChecker();
    }
    assert.equal(asked.length, 8);
  });

  test('another process understands the pins of a variant and its segments', async () => {
    const a = await packager({ name: 'A', session: 'cookie', variants: ['low.m3u8', 'high.m3u8'] });
    const [one, other] = [await edge(), await edge()];
    for (const weir of [one, other]) weir.register(endpoint('news', a.address));
    const master = await get(one, '/live/news/index.m3u8');
    const variant = `/live/news/${urisOf(master.text)[1]}`;
    await download(other, await reload(other, variant), variant);
    await download(other, await reload(one, variant), variant);
  });
});

suite('renditions', () => {
  test('switch together, also to an origin that names them otherwise', async () => {
    const { a, weir } = await pair({
      a: { variants: ['low.m3u8', 'high.m3u8'] },
      b: { variants: ['v0.m3u8', 'v1.m3u8'] },
    });
    const master = await get(weir, '/live/news/index.m3u8');
    const [low, high] = urisOf(master.text).map((uri) => `/live/news/${uri}`);
    assert.ok(low !== undefined && high !== undefined);
    await download(weir, (await get(weir, low)).text, low);
    await download(weir, (await get(weir, high)).text, high);
    await a.close();
    const texts = [await get(weir, low), await get(weir, high)].map(({ text }) => readMediaPlaylist(text));
    const edges = texts.map(({ segments }) => segments.at(-1));
    assert.match(edges[0]?.uri ?? '', /^v0-news-505\.ts/);
    assert.match(edges[1]?.uri ?? '', /^v1-news-505\.ts/);
    assert.deepEqual(
      edges.map((segment) => segment?.discontinuitySequence),
      [1, 1],
    );
  });
});

suite('whose fault it is', () => {
  const ejections = (weir: TestDataPlane) => metricValue(weir.metrics, 'weir_ejections_total');
  const failures = async (weir: TestDataPlane) =>
    (await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'bad_status' })) + (await ejections(weir));
  const endpoints = (weir: TestDataPlane) => weir.plane.hls().sessions.map(({ endpoint: at }) => at);

  for (const status of [401, 403]) {
    test(`${status} to one viewer's token is that viewer's: it hears so, nobody moves, no endpoint is blamed`, async () => {
      // Long enough for a busy machine: a playlist that does not grow counts as stalled after some target durations.
      const { a, b, weir } = await pair({ a: { duration: 60 }, b: { duration: 60 } });
      await reload(weir);
      const tokens = ['good', 'expires'];
      for (const token of tokens) assert.equal((await get(weir, `/live/news.m3u8?t=${token}`)).status, 200);
      for (const origin of [a, b]) origin.refusal = (query) => (query.get('t') === 'expires' ? status : undefined);
      for (let count = 0; count < 10; count += 1) {
        assert.equal((await get(weir, '/live/news.m3u8?t=expires')).status, 403);
        assert.equal((await get(weir, '/live/news.m3u8?t=good')).status, 200);
        await reload(weir);
      }
      assert.equal(await failures(weir), 0);
      assert.deepEqual(new Set(endpoints(weir)), new Set([a.address]));
      assert.equal(b.requests.length, 0, 'nobody else is asked with it');
    });
  }

  test('404 to one viewer: another origin is asked for that viewer, nobody else moves, no endpoint is blamed', async () => {
    const { a, b, weir } = await pair();
    await reload(weir);
    for (const viewer of ['one', 'two']) await get(weir, `/live/news.m3u8?v=${viewer}`);
    a.refusal = (query) => (query.get('v') === 'one' ? 404 : undefined);
    assert.match((await get(weir, '/live/news.m3u8?v=one')).text, /news-505/);
    assert.doesNotMatch((await get(weir, '/live/news.m3u8?v=two')).text, /news-505/);
    assert.doesNotMatch(await reload(weir), /news-505/);
    assert.equal(await failures(weir), 0);
    assert.doesNotMatch((await get(weir, '/live/news.m3u8?v=new')).text, /news-505/, 'who comes goes where all are');
    assert.ok(b.requests.every(({ url }) => url?.includes('v=one')));
  });

  test('404 to one viewer everywhere is what that viewer hears after the grace', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge({ grace: '100ms' });
    weir.register(endpoint('news', a.address));
    await get(weir, '/live/news.m3u8?v=one');
    a.refusal = () => 404;
    const statuses = new Set<number>();
    await waitFor(async () => {
      const { status } = await get(weir, '/live/news.m3u8?v=one');
      statuses.add(status);
      return status === 404;
    });
    assert.deepEqual([...statuses], [200, 404]);
    assert.equal(await failures(weir), 0);
  });

  test('a segment that is refused to one viewer moves nobody; one that all miss moves all', async () => {
    const { a, weir } = await pair({}, { prefetch: true });
    await reload(weir);
    await get(weir, '/live/news.m3u8?t=expires');
    a.refusal = (query, path) => (query.get('t') === 'expires' && path.endsWith('.ts') ? 403 : undefined);
    a.grow();
    const { text } = await get(weir, '/live/news.m3u8?t=expires');
    assert.match(text, /news-16/);
    assert.equal((await get(weir, `/live/${urisOf(text).at(-1)}`)).status, 403);
    assert.doesNotMatch((await get(weir, '/live/news.m3u8?t=expires')).text, /news-505/);
    assert.equal(await failures(weir), 0);
    assert.match(await reload(weir), /news-16/);
    a.grow();
    a.missing.add(17);
    assert.match(await reload(weir), /news-505/);
  });

  test('a playlist that all share and that is gone moves all, and is the origin’s failure', async () => {
    const { a, weir } = await pair();
    await reload(weir);
    a.refusal = () => 404;
    assert.match(await reload(weir), /news-505/);
    assert.equal(await metricValue(weir.metrics, 'weir_picks_total', { outcome: 'bad_status' }), 1);
  });

  suite('with tokens that do not set players apart', () => {
    async function lent() {
      const a = await packager({ name: 'A' });
      const valid = new Set(['good', 'better']);
      a.refusal = (query) => (valid.has(query.get('token') ?? '') ? undefined : 403);
      const weir = await edge({ unkeyedParameters: ['token'], prefetch: false, errorMaxAge: '1h' });
      weir.register(endpoint('news', a.address));
      const ask = async (token: string) => (await get(weir, `/live/news.m3u8?token=${token}`)).status;
      return { a, weir, valid, ask };
    }

    test("a stranger's bad token stops nobody: what worked last is asked with", async () => {
      const { a, weir, ask } = await lent();
      assert.equal(await ask('good'), 200);
      for (let count = 0; count < 5; count += 1) {
        assert.equal(await ask('bad'), 200);
        assert.equal(await ask('good'), 200);
      }
      assert.ok(!a.requests.some(({ url }) => url?.includes('token=bad')));
      assert.equal(await failures(weir), 0);
    });

    test('when the token that worked has expired, one that is good takes its place, and bad ones hear so', async () => {
      const { weir, valid, ask } = await lent();
      assert.equal(await ask('good'), 200);
      valid.delete('good');
      assert.deepEqual(await Promise.all([ask('bad'), ask('good'), ask('better'), ask('bad')]), [403, 403, 200, 403]);
      assert.equal(await ask('bad'), 200, 'with this setting, who knows the URL plays');
      assert.equal(await failures(weir), 0);
    });

    test('a segment is asked for in the same way, and what one hears of it is kept for nobody', async () => {
      const { a, weir, valid } = await lent();
      const text = (await get(weir, '/live/news.m3u8?token=good')).text;
      const uri = (index: number, token: string) =>
        `/live/${(urisOf(text)[index] ?? '').split('token=good').join(`token=${token}`)}`;
      assert.equal((await get(weir, uri(0, 'bad'))).text, a.body(0), 'with what worked last');
      valid.delete('good');
      for (const index of [1, 2]) {
        const asked = ['bad', 'better', 'bad', 'better'].map(
          async (token) => (await get(weir, uri(index, token))).status,
        );
        const [one, two, three, four] = await Promise.all(asked);
        assert.deepEqual([two, four], [200, 200]);
        for (const status of [one, three]) assert.ok(status === 403 || status === 200);
      }
      assert.equal((await get(weir, uri(0, 'bad'))).status, 200, 'what is here is for all');
      valid.clear();
      assert.equal((await get(weir, uri(3, 'bad'))).status, 403);
      valid.add('better');
      assert.equal((await get(weir, uri(3, 'better'))).status, 200, 'at once');
      assert.equal(await failures(weir), 0);
    });

    test('a stranger who comes first keeps nobody out', async () => {
      const { ask } = await lent();
      assert.deepEqual(await Promise.all([ask('bad'), ask('bad'), ask('good')]), [403, 403, 200]);
    });
  });
});

suite('strangers', () => {
  test('make an origin answer once for each request: nothing is fetched ahead for who asks once', async () => {
    const a = await packager({ name: 'A' });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    for (let count = 0; count < 20; count += 1) await get(weir, `/live/news.m3u8?u=${count}`);
    assert.equal(a.requests.length, 20);
    await reload(weir);
    await reload(weir);
    await waitFor(() => a.segmentCounts.size === 3, { what: 'the edge of what somebody watches' });
  });

  /** Players see numbers that only this session knows: those of an origin that is gone go on. */
  async function afterSwitch(settings: ConfigInput['hls']) {
    const { a, weir } = await pair({}, { prefetch: false, ...settings });
    await download(weir, await reload(weir));
    await a.close();
    await reload(weir);
    return weir;
  }

  test('reset no numbers with playlists of their own making', async () => {
    const weir = await afterSwitch({});
    for (let count = 0; count < 80; count += 1) {
      await get(weir, `/live/news.m3u8?weir=&x=${count}`);
      await get(weir, `/live/news/${count}.m3u8`);
      await get(weir, `/live/news%2${count % 2 === 0 ? 'e' : 'E'}m3u8?weir=x`);
    }
    await reload(weir);
    const { sessions } = weir.plane.hls();
    const shared = sessions.find((session) => session.shared && session.path === '/live/news');
    assert.ok((shared?.playlists.length ?? 0) <= 64, 'nobody makes playlists without end in what all share');
    assert.equal((await get(weir, '/live/news/one-more.m3u8')).status, 503);
  });

  test('reset no numbers with sessions of their own making', async () => {
    const weir = await afterSwitch({ maxSessions: 20 });
    for (let count = 0; count < 60; count += 1) {
      await get(weir, `/live/news.m3u8?x=${count}`);
      await get(weir, `/live${count}/news.m3u8`);
      if (count % 10 === 0) await reload(weir);
    }
    await reload(weir);
    assert.ok(weir.plane.hls().sessions.length <= 20);
  });

  test('who ask for what no origin has leave nothing behind', async () => {
    const { a, b, weir } = await pair();
    a.status = 404;
    b.status = 404;
    for (let count = 0; count < 20; count += 1)
      assert.equal((await get(weir, `/live/news.m3u8?x=${count}`)).status, 404);
    assert.deepEqual(weir.plane.hls().sessions, []);
  });
});

suite('addresses', () => {
  test('a segment that no URL of the channel leads to comes through the edge by a signed pin', async () => {
    const a = await packager({ name: 'A', segmentName: (sequence) => `/elsewhere/seg${sequence}.ts` });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const text = await reload(weir);
    const bodies = await download(weir, text);
    assert.equal(bodies.at(-1), a.body(5));
    const [path = '', pin = ''] = (urisOf(text).at(-1) ?? '').split('?weir=');
    assert.match(path, /^news\/seg5\.ts$/);
    const [tag, , , , signature] = pin.split('.');
    const forged = `${tag}...${Buffer.from('/api/secrets').toString('base64url')}.${signature}`;
    await get(weir, `/live/${path}?weir=${forged}`);
    assert.ok(!a.counts.has('/api/secrets'));
    assert.equal(await metricValue(weir.metrics, 'weir_hls_pins_total', { problem: 'unknown' }), 1);
  });

  test('a pin to an endpoint that is gone falls back to the present one, and is counted', async () => {
    const { a, b, weir } = await pair();
    const uri = urisOf(await reload(weir))[0] ?? '';
    weir.register(endpoint('news', b.address));
    const answer = await get(weir, `/live/${uri}`);
    assert.equal(answer.text, b.body(10));
    assert.equal(await metricValue(weir.metrics, 'weir_hls_pins_total', { problem: 'dead' }), 1);
    assert.ok(!a.segmentCounts.has('/live/news-10.ts'));
  });

  test('the pin of a variant leads to no master that was not asked for', async () => {
    const a = await packager({ name: 'A', variants: ['low.m3u8'] });
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    for (const master of ['/%2e%2e/%2e%2e/secret/index.m3u8', '/../secret.m3u8', '/secret.m3u8']) {
      await get(weir, `/live/news/x.m3u8?weir=m0.${Buffer.from(master).toString('base64url')}`);
      await get(weir, `/live/news/x.m3u8?weir=m0.${Buffer.from(master).toString('base64url')}.${'A'.repeat(16)}`);
    }
    assert.deepEqual([...a.counts.keys()], ['/live/news/x.m3u8']);
  });

  test('a pin never leads to a server that is not registered', async () => {
    const { a, weir } = await pair();
    await reload(weir);
    const stranger = await packager({ name: 'C' });
    const answer = await get(weir, `/live/news-10.ts?weir=${encodeURIComponent(`http://${stranger.address}/`)}`);
    assert.equal(answer.text, a.body(10));
    assert.equal(stranger.requests.length, 0);
  });

  test('an endpoint whose address has a path is spoken to in its own names', async () => {
    const a = await packager({ name: 'A', segmentName: (sequence) => `other-${sequence}.ts` });
    const weir = await edge();
    weir.register(endpoint('news', `http://${a.address}/x/other`));
    const text = await reload(weir);
    assert.match(text, /\nnews-5\.ts\?weir=/);
    await download(weir, text);
    assert.ok(a.segmentCounts.has('/x/other-5.ts'));
  });
});

test('what operators see of a session', async () => {
  const { a, b, weir } = await pair();
  await reload(weir);
  await a.close();
  await reload(weir);
  const { sessions } = weir.plane.hls() as {
    sessions: { endpoint: string; last_switch: { cause: string; from: string } }[];
  };
  assert.deepEqual(
    sessions.map(({ endpoint: at, last_switch }) => [at, last_switch.cause, last_switch.from]),
    [[b.address, 'upstream', a.address]],
  );
});
