import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from '../../../src/relay/flv/meter.js';
import { readTag } from '../../../src/relay/flv/tag.js';

function frame(timestamp: number, size: number, key: boolean) {
  const body = Buffer.alloc(size);
  body.set([key ? 0x17 : 0x27, 1]);
  const tag = readTag(9, timestamp >>> 0, body);
  assert.ok(tag);
  return tag;
}

test('bitrate and keyframe distance are those of the media, across the wrap of the timestamps too', () => {
  for (const start of [0, 3_600_000, 0xffff_f000]) {
    const meter = new Meter();
    assert.deepEqual([meter.bytesPerSecond, meter.groupMs], [undefined, undefined]);
    for (let at = 0; at <= 10_000; at += 40) meter.add(frame(start + at, 5_000, at % 2_000 === 0));
    assert.equal(meter.groupMs, 2_000);
    assert.ok(Math.abs((meter.bytesPerSecond ?? 0) - 125_000) < 5_000, `${meter.bytesPerSecond}`);
  }
});
