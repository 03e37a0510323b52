import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../../src/agent/kinds.js';
import { hear, nobody, playedApi, read } from '../../support/media-api.js';

const path = {
  name: 'live/news',
  confName: 'all_others',
  source: { type: 'srtConn', id: '5a3c' },
  available: true,
  availableTime: '2025-01-01T00:00:00Z',
  tracks: ['H264', 'MPEG-4 Audio'],
  inboundBytes: 1_000_000,
  outboundBytes: 2_000_000,
  inboundFramesInError: 0,
  readers: [
    { type: 'hlsMuxer', id: '' },
    { type: 'rtspSession', id: 'x' },
  ],
};
const list = (...items: unknown[]) => ({ itemCount: items.length, pageCount: 1, items });
const connections = list({ id: '5a3c', path: 'live/news', state: 'publish', packetsReceivedLossRate: 1.5 });

test('a path that is available is found, with the loss of its SRT connection', async () => {
  assert.deepEqual(await read('mediamtx', { '/v3/paths/list': list(path), '/v3/srtconns/list': connections }), {
    streams: [
      { vhost: '', app: 'live', name: 'news', publisher: '5a3c', viewers: 2, bitrate: undefined, packetLoss: 0.015 },
    ],
  });
});

test('a path that is only configured, or waits for its source, is none', async () => {
  const { streams } = await read('mediamtx', { '/v3/paths/list': list({ ...path, source: null, available: false }) });
  assert.deepEqual(streams, []);
});

test('names and fields of older versions are read, and a server without SRT has no loss', async () => {
  const { available: _, inboundBytes: __, ...older } = { ...path, ready: true, bytesReceived: 10, name: 'news' };
  const { streams } = await read('mediamtx', { '/v3/paths/list': list(older) });
  assert.deepEqual(streams[0], {
    vhost: '',
    app: '',
    name: 'news',
    publisher: '5a3c',
    viewers: 2,
    bitrate: undefined,
    packetLoss: undefined,
  });
});

test('the bitrate is what came since the last answer; one that began again is unknown once', async () => {
  let now = 0;
  const server = kinds.mediamtx.create(nobody, () => now);
  const rate = async (inboundBytes: number) => {
    const { ask } = playedApi({ '/v3/paths/list': list({ ...path, inboundBytes }) });
    now += 1_000;
    return (await server.read(ask)).streams[0]?.bitrate;
  };
  assert.deepEqual(
    [await rate(0), await rate(150_000), await rate(10), await rate(125_010)],
    [undefined, 1200, undefined, 1000],
  );
});

test('all pages are read, and no more than there may be', async () => {
  const endless = { itemCount: 1, pageCount: 1e9, items: [path] };
  const { ask, questions } = playedApi({ '/v3/paths/list': endless, '/v3/srtconns/list': connections });
  await kinds.mediamtx.create(nobody, () => 0).read(ask);
  assert.equal(questions.length, 21);
});

test('its commands tell that a path begins and ends', () => {
  const stream = { vhost: '', app: 'live', name: 'news' };
  assert.deepEqual(hear('mediamtx', { name: 'available', query: 'path=live/news' }), { kind: 'published', stream });
  assert.deepEqual(hear('mediamtx', { name: 'unavailable', query: 'path=live%2Fnews' }), {
    kind: 'unpublished',
    stream,
  });
  assert.equal(hear('mediamtx', { name: 'available', query: '' }), undefined);
  assert.equal(hear('mediamtx', { name: 'toString', query: 'path=x' }), undefined);
});
