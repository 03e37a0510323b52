import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinRelays, viewsBy } from '../../src/cluster/reports.js';
import type { RelayJson } from '../../src/data-plane/contract.js';

test('a stream that workers take from each other is one, with the viewers of all and the endpoint of its owner', () => {
  const relay = (endpoint: string, fromWorker: boolean, http: number, workers: number): RelayJson => ({
    channel: 'news',
    path: '/live/news.flv',
    state: 'live',
    endpoint,
    from_worker: fromWorker,
    from_edge: false,
    video_codec: 'avc',
    audio_codec: 'aac',
    bitrate: 1,
    gop_seconds: 2,
    viewers: { http, websocket: 1, workers, waiting: 0 },
    failovers: 0,
  });
  const joined = joinRelays([[relay('http://~worker-2:1', true, 5, 0)], [relay('10.0.0.1:80', false, 7, 1)], []]);
  assert.equal(joined.length, 1);
  assert.equal(joined[0]?.endpoint, '10.0.0.1:80');
  assert.deepEqual(joined[0]?.viewers, { http: 12, websocket: 2, workers: 1, waiting: 0 });
});

test('each view is shown under its own name, and asked when it is wanted', async () => {
  const asked: string[] = [];
  const views = viewsBy(async (name) => {
    asked.push(name);
    return name;
  });
  assert.deepEqual(Object.keys(views).sort(), ['hls', 'relays']);
  assert.deepEqual(asked, []);
  assert.equal(await views['hls']?.(), 'hls');
  assert.deepEqual(asked, ['hls']);
});
