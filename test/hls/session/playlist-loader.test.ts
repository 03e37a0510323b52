// What is remembered of an endpoint's playlists.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { OriginClient } from '../../../src/hls/session/origin-client.js';
import { PlaylistLoader } from '../../../src/hls/session/playlist-loader.js';
import { parseServiceAddress } from '../../../src/net-address.js';
import type { UpstreamClient } from '../../../src/upstream/client.js';

const request = { suffix: '.m3u8', originQuery: '', variant: undefined, own: '', deadlineMs: 1000 };

/** An endpoint whose answers say what they are: those that are asked for with a validator have not changed. */
function loaderOf(text: string): { readonly loader: PlaylistLoader; readonly statuses: number[] } {
  const statuses: number[] = [];
  const client: UpstreamClient = {
    send: ({ headers }, handler) => {
      const status = headers['if-none-match'] === '"1"' ? 304 : 200;
      statuses.push(status);
      queueMicrotask(() => {
        handler.onResponse(status, { etag: '"1"' });
        if (status === 200) handler.onData(Buffer.from(text));
        handler.onEnd();
      });
      return { resume: () => undefined, abort: () => undefined };
    },
  };
  const address = parseServiceAddress('127.0.0.1:80');
  assert.ok(address !== undefined);
  const options = { client, address, channel: 'news', stem: '/live/news', via: 'weir', authorization: undefined };
  return { loader: new PlaylistLoader(new OriginClient({ ...options, sessionParameters: new Set() })), statuses };
}

const list = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,${'t'.repeat(10_000)}\nnews-1.ts\n`;

suite('the text of a playlist with a validator', () => {
  test('is kept and counted, and asked about the next time', async () => {
    const { loader, statuses } = loaderOf(list);
    await loader.fetch(request);
    await loader.fetch(request);
    assert.deepEqual(statuses, [200, 304]);
    assert.ok(loader.bytes >= list.length && loader.bytes < list.length + 2_000, String(loader.bytes));
  });

  test('is not kept for what low-latency players wait for: nobody asks for that again', async () => {
    const { loader } = loaderOf(list);
    for (let part = 0; part < 8; part += 1) await loader.fetch(request, `_HLS_msn=2&_HLS_part=${part}`);
    assert.equal(loader.bytes, 0);
  });
});

test('the variants of a multivariant playlist are counted', async () => {
  const variants = Array.from(
    { length: 100 },
    (_, index) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${'v'.repeat(1_000)}${index}.m3u8\n`,
  );
  const { loader } = loaderOf(`#EXTM3U\n${variants.join('')}`);
  await loader.fetch(request);
  assert.ok(loader.bytes > 200_000, String(loader.bytes));
});

test('an endpoint that names another session each time is not told all of them', async () => {
  const address = parseServiceAddress('127.0.0.1:80');
  assert.ok(address !== undefined);
  const paths: string[] = [];
  const client: UpstreamClient = {
    send: ({ path }, handler) => {
      paths.push(path);
      const master = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnews.m3u8?session${paths.length}=${'s'.repeat(300)}\n`;
      queueMicrotask(() => {
        handler.onResponse(200, {});
        handler.onData(Buffer.from(paths.length % 2 === 1 ? master : list));
        handler.onEnd();
      });
      return { resume: () => undefined, abort: () => undefined };
    },
  };
  const options = { client, address, channel: 'news', stem: '/live/news', via: 'weir', authorization: undefined };
  const loader = new PlaylistLoader(new OriginClient({ ...options, sessionParameters: new Set() }));
  for (let time = 0; time < 100; time += 1) await loader.fetch(request);
  assert.ok(
    paths.every((path) => path.length < 16_384 + 1_000),
    String(paths.at(-1)?.length),
  );
  assert.ok(loader.origin.hidden.size <= 16);
  assert.ok(loader.bytes >= 16 * 300 && loader.bytes < 20_000, String(loader.bytes));
});
