// What the beginning of an answer says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, isEnough, mediaOf } from '../../../src/fleet/health/media.js';

const flv = Buffer.concat([Buffer.from('FLV\x01\x05\0\0\0\x09', 'latin1'), Buffer.alloc(15)]);
const list = (sequence: number, more = '') =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:${sequence}\n#EXTINF:6,\n${sequence}.ts\n${more}`;

const cases = [
  { title: 'FLV with a tag is well', status: 200, body: flv, kind: 'well' },
  { title: 'FLV without one has stalled', status: 200, body: flv.subarray(0, 13), kind: 'failed' },
  { title: 'a playlist', status: 200, body: Buffer.from(list(1)), kind: 'playlist' },
  { title: 'anything else may be an error page', status: 200, body: Buffer.from('<html>'), kind: 'absent' },
  { title: 'what is not there speaks against nobody', status: 404, body: Buffer.alloc(0), kind: 'absent' },
  { title: 'nor does a refusal', status: 403, body: Buffer.alloc(0), kind: 'absent' },
  { title: 'a gateway that has no server behind it', status: 502, body: Buffer.alloc(0), kind: 'failed' },
];
for (const { title, status, body, kind } of cases) {
  test(title, () => assert.equal(mediaOf(status, body).kind, kind));
}

test('no more is read than is needed', () => {
  assert.deepEqual([isEnough(flv.subarray(0, 20)), isEnough(flv)], [false, true]);
  assert.deepEqual([isEnough(Buffer.from(list(1))), isEnough(Buffer.alloc(65_536, '#EXTM3U'))], [false, true]);
  assert.deepEqual([isEnough(Buffer.from('<')), isEnough(Buffer.from('<html><body>error'))], [false, true]);
});

test('a live playlist that does not grow has stalled, in the time that its target duration gives it', () => {
  let { seen, stalled } = growthOf(undefined, list(1), 0);
  ({ seen, stalled } = growthOf(seen, list(1), 24_000));
  assert.equal(stalled, false);
  assert.equal(growthOf(seen, list(1), 24_001).stalled, true);
  assert.equal(growthOf(seen, list(2), 24_001).stalled, false);
});

test('what has ended, or lists renditions, need not grow', () => {
  for (const text of [list(1, '#EXT-X-ENDLIST\n'), '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n']) {
    const { seen } = growthOf(undefined, text, 0);
    assert.equal(growthOf(seen, text, 1e9).stalled, false);
  }
});
