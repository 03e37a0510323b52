import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../../src/agent/kinds.js';
import { hear, playedApi, read } from '../../support/media-api.js';

const live = {
  id: 'vid-7k1x2o1',
  name: 'livestream',
  vhost: 'vid-u0o8vgq',
  app: 'live',
  tcUrl: 'rtmp://127.0.0.1/live',
  url: '/live/livestream',
  live_ms: 1698000000000,
  clients: 4,
  frames: 2500,
  send_bytes: 88000,
  recv_bytes: 99000,
  kbps: { recv_30s: 1203, send_30s: 3600 },
  publish: { active: true, cid: '1g8vz7p3' },
  video: { codec: 'H264', profile: 'High', level: '3.2', width: 768, height: 320 },
  audio: { codec: 'AAC', sample_rate: 44100, channel: 2, profile: 'LC' },
};
const answer = (streams: readonly unknown[]) => ({
  '/api/v1/vhosts': {
    code: 0,
    server: 'vid-1',
    vhosts: [{ id: 'vid-u0o8vgq', name: '__defaultVhost__', enabled: true }],
  },
  '/api/v1/streams': { code: 0, server: 'vid-1', service: 's', pid: '7', streams },
  '/api/v1/summaries': {
    code: 0,
    data: { ok: true, self: { cpu_percent: 42.5, mem_kbyte: 9 }, system: { cpu_percent: 7 } },
  },
});

test('a stream that is published is found, with its viewers and bitrate, and the load of the one thread', async () => {
  assert.deepEqual(await read('srs', answer([live])), {
    streams: [
      { vhost: '__defaultVhost__', app: 'live', name: 'livestream', publisher: '1g8vz7p3', viewers: 3, bitrate: 1203 },
    ],
    cpu: 0.425,
  });
});

test('a stream that only has players, or whose publisher left, is none', async () => {
  const { streams } = await read(
    'srs',
    answer([
      { ...live, publish: { active: false, cid: '' } },
      { ...live, publish: null },
    ]),
  );
  assert.deepEqual(streams, []);
});

test('a bitrate that SRS does not know yet is unknown', async () => {
  const { streams } = await read('srs', answer([{ ...live, kbps: { recv_30s: 0, send_30s: 0 } }]));
  assert.equal(streams[0]?.bitrate, undefined);
});

test('all streams are asked for, not the first ten, with the credentials', async () => {
  const { ask, questions } = playedApi(answer([]));
  await kinds.srs.create({ user: 'admin', secret: 'pw' }, () => 0).read(ask);
  for (const { path } of questions.slice(0, 2)) assert.match(path, /[?&]count=\d{5,}/);
  for (const { headers } of questions) assert.equal(headers?.['authorization'], 'Basic YWRtaW46cHc=');
});

const hook = {
  server_id: 'vid-1',
  service_id: 's',
  client_id: '1g8vz7p3',
  ip: '127.0.0.1',
  vhost: '__defaultVhost__',
  app: 'live',
  stream: 'livestream',
  param: '?secret=x',
  stream_url: '/live/livestream',
  stream_id: 'vid-7k1x2o1',
};

test('its http_hooks tell that a stream begins and ends, its heartbeat nothing', () => {
  const stream = { vhost: '__defaultVhost__', app: 'live', name: 'livestream', publisher: '1g8vz7p3' };
  assert.deepEqual(hear('srs', { body: { ...hook, action: 'on_publish' } }), { kind: 'published', stream });
  assert.deepEqual(hear('srs', { body: { ...hook, action: 'on_unpublish' } }), { kind: 'unpublished', stream });
  assert.equal(hear('srs', { body: { ...hook, action: 'on_play' } }), undefined);
  assert.equal(hear('srs', { body: { device_id: 'x', ip: '10.0.0.1', summaries: {}, rtmp: ['1935'] } }), undefined);
});
