import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../../src/agent/kinds.js';
import { hear, playedApi, read } from '../../support/media-api.js';

const row = {
  app: 'live',
  stream: 'news',
  vhost: '__defaultVhost__',
  schema: 'rtmp',
  readerCount: 1,
  totalReaderCount: 5,
  originType: 1,
  originTypeStr: 'rtmp_push',
  aliveSecond: 30,
  bytesSpeed: 150_000,
  tracks: [{ codec_id_name: 'H264', ready: true }],
};
const answer = (...data: unknown[]) => ({ '/index/api/getMediaList': { code: 0, data } });

test('a stream that is told once a protocol is found once', async () => {
  const rows = ['fmp4', 'rtmp', 'rtsp', 'ts', 'hls'].map((schema) => ({
    ...row,
    schema,
    bytesSpeed: schema === 'rtmp' ? 150_000 : 0,
  }));
  assert.deepEqual(await read('zlmediakit', answer(...rows)), {
    streams: [{ vhost: '__defaultVhost__', app: 'live', name: 'news', viewers: 5, bitrate: 1200 }],
  });
});

test('no stream is an answer, a wrong secret is none', async () => {
  assert.deepEqual(await read('zlmediakit', { '/index/api/getMediaList': { code: 0 } }), { streams: [] });
  const refused = { '/index/api/getMediaList': { code: -100, msg: 'Incorrect secret' } };
  await assert.rejects(read('zlmediakit', refused), /--api-secret-file/);
});

test('the secret is sent, whatever stands in it', async () => {
  const { ask, questions } = playedApi(answer());
  await kinds.zlmediakit.create({ user: undefined, secret: 'a&b=c' }, () => 0).read(ask);
  assert.equal(questions[0]?.path, '/index/api/getMediaList?secret=a%26b%3Dc');
});

test('its hook tells that a stream begins and ends, once for all its protocols', () => {
  const body = { mediaServerId: 'x', app: 'live', stream: 'news', vhost: '__defaultVhost__' };
  const stream = { vhost: '__defaultVhost__', app: 'live', name: 'news' };
  assert.deepEqual(hear('zlmediakit', { body: { ...body, regist: true, schema: 'rtmp' } }), {
    kind: 'published',
    stream,
  });
  assert.deepEqual(hear('zlmediakit', { body: { ...body, regist: false, schema: 'rtmp' } }), {
    kind: 'unpublished',
    stream,
  });
  assert.equal(hear('zlmediakit', { body: { ...body, regist: false, schema: 'hls' } }), undefined);
  assert.equal(hear('zlmediakit', { body: { mediaServerId: 'x', data: {} } }), undefined);
});
