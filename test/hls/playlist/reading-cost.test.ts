import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingRestMs } from '../../../src/hls/playlist/reading-cost.js';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { endpoint, startDataPlane } from '../../support/data-plane.js';
import { startHttpOrigin } from '../../support/origin-server.js';

const cleanups = cleanupsAfterEach();

test('a list of an hour may be read at any time, a longer one rests in proportion to its length', () => {
  assert.deepEqual([0, 4_000, 24_000, 200_000].map(readingRestMs), [0, 0, 1_000, 9_800]);
});

test('a list that is dear to read does not take the process, however often players ask and whatever its origin says', async () => {
  let asked = 0;
  const origin = await startHttpOrigin((_, response) => {
    asked += 1;
    const segments = Array.from({ length: 40_000 }, (_, index) => `#EXTINF:2,\nnews-${asked}-${index}.ts\n`);
    response.setHeader('cache-control', 'no-cache');
    response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${asked}\n${segments.join('')}`);
  });
  cleanups.push(() => origin.close());
  const weir = await startDataPlane({ hls: { prefetch: false, playlistMinAge: '0s' } });
  cleanups.push(() => weir.close());
  weir.register(endpoint('news', origin.address));
  const players = 20;
  for (let player = 0; player < players; player += 1) {
    const response = await fetch(`${weir.url}/live/news.m3u8`, { method: 'HEAD' });
    assert.equal(response.status, 200);
  }
  assert.ok(asked < players / 2, `the origin was asked ${asked} times`);
});
