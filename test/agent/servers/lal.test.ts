import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hear, read } from '../../support/media-api.js';

const session = {
  protocol: 'RTMP',
  base_type: 'PUB',
  start_time: '2024-01-01 00:00:00.000',
  remote_addr: '10.0.0.5:61353',
};
const pub = {
  ...session,
  session_id: 'RTMPPUBSUB1',
  read_bytes_sum: 9,
  wrote_bytes_sum: 3,
  bitrate_kbits: 588,
  read_bitrate_kbits: 600,
};
const none = { ...session, session_id: '', read_bitrate_kbits: 0 };
const group = {
  stream_name: 'news',
  app_name: 'live',
  audio_codec: 'AAC',
  video_codec: 'H264',
  pub,
  subs: [{ session_id: 'FLVSUB1' }, { session_id: 'FLVSUB2' }],
  pull: none,
};
const answer = (...groups: unknown[]) => ({ '/api/stat/all_group': { error_code: 0, desp: 'succ', data: { groups } } });
const found = { vhost: '', app: 'live', name: 'news', publisher: 'RTMPPUBSUB1', viewers: 2, bitrate: 600 };

test('a group with a publisher is found, with its viewers and bitrate', async () => {
  assert.deepEqual(await read('lal', answer(group)), { streams: [found] });
  assert.deepEqual(await read('lal', answer({ ...group, subs: null })), { streams: [{ ...found, viewers: 0 }] });
});

test('a group that pulls its stream is found, one that only waits for a publisher is none', async () => {
  const pulled = { ...group, pub: none, pull: { ...pub, session_id: 'RTMPPULL1' } };
  assert.deepEqual(await read('lal', answer(pulled)), { streams: [{ ...found, publisher: 'RTMPPULL1' }] });
  assert.deepEqual(await read('lal', answer({ ...group, pub: none })), { streams: [] });
});

test('what happened stands in the address that it calls', () => {
  const body = { server_id: '1', session_id: 'RTMPPUBSUB1', protocol: 'RTMP', app_name: 'live', stream_name: 'news' };
  const stream = { vhost: '', app: 'live', name: 'news', publisher: 'RTMPPUBSUB1' };
  assert.deepEqual(hear('lal', { name: 'on_pub_start', body }), { kind: 'published', stream });
  assert.deepEqual(hear('lal', { name: 'on_pub_stop', body }), { kind: 'unpublished', stream });
  for (const name of ['on_update', 'on_sub_start', '', 'constructor'])
    assert.equal(hear('lal', { name, body }), undefined);
});
