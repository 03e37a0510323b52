import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codecOf, type FlvTag, readTag } from '../../../src/relay/flv/tag.js';
import { runs } from '../../support/runs.js';
import { sample, tagsOf } from '../samples.js';

const bytes = (...parts: (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))));
const describe = (tag: FlvTag | undefined) =>
  tag === undefined ? 'dropped' : `${tag.slot ?? (tag.keyframe ? 'keyframe' : 'media')} ${codecOf(tag)}`;

test('the first bytes of a body say what a tag is', () => {
  const cases: [string, number, Buffer, string][] = [
    ['AVC sequence header', 9, bytes(0x17, 0, 0, 0, 0, 1), 'video h264'],
    ['AVC keyframe', 9, bytes(0x17, 1, 0, 0, 0), 'keyframe h264'],
    ['AVC inter frame', 9, bytes(0x27, 1, 0, 0, 0), 'media h264'],
    ['AVC end of sequence', 9, bytes(0x17, 2, 0, 0, 0), 'dropped'],
    ['legacy HEVC sequence header', 9, bytes(0x1c, 0, 0, 0, 0), 'video hevc'],
    ['legacy HEVC keyframe', 9, bytes(0x1c, 1, 0, 0, 0), 'keyframe hevc'],
    ['legacy HEVC inter frame', 9, bytes(0x2c, 1, 0, 0, 0), 'media hevc'],
    ['VP6 keyframe, which needs no header', 9, bytes(0x14, 0, 0), 'keyframe vp6'],
    ['generated keyframe', 9, bytes(0x47, 1, 0, 0, 0), 'keyframe h264'],
    ['enhanced HEVC sequence start', 9, bytes(0x90, 'hvc1', 1), 'video hevc'],
    ['enhanced HEVC coded frames, key', 9, bytes(0x91, 'hvc1', 0, 0, 0), 'keyframe hevc'],
    ['enhanced HEVC coded frames X, key', 9, bytes(0x93, 'hvc1'), 'keyframe hevc'],
    ['enhanced HEVC coded frames X, inter', 9, bytes(0xa3, 'hvc1'), 'media hevc'],
    ['enhanced AVC sequence start', 9, bytes(0x90, 'avc1', 1), 'video h264'],
    ['enhanced AV1 sequence start', 9, bytes(0x90, 'av01', 1), 'video av1'],
    ['enhanced AV1 from MPEG-2 TS', 9, bytes(0x95, 'av01', 1), 'video av1'],
    ['enhanced VP9 key', 9, bytes(0x91, 'vp09', 1), 'keyframe vp9'],
    ['enhanced sequence end', 9, bytes(0x92, 'hvc1'), 'dropped'],
    ['enhanced colour metadata', 9, bytes(0x94, 'hvc1', 2), 'video-metadata hevc'],
    ['enhanced command', 9, bytes(0xd1, 0), 'media unknown'],
    ['enhanced with a modifier before the type', 9, bytes(0x97, 2, 9, 9, 9, 0x01, 'hvc1'), 'keyframe hevc'],
    ['more modifiers than any packet has', 9, bytes(0x97, '\0\0\x07'.repeat(8), 0, 0, 1, 'hvc1'), 'media unknown'],
    ['a modifier that never ends', 9, bytes(0x97, 200, 9), 'media unknown'],
    ['enhanced, first of several tracks', 9, bytes(0x96, 0x01, 'hvc1', 0), 'keyframe hevc'],
    ['enhanced, second track: no start for a player', 9, bytes(0x96, 0x01, 'hvc1', 1), 'media hevc'],
    ['enhanced, sequence start of the second track', 9, bytes(0x96, 0x00, 'hvc1', 1), 'video-track-1 hevc'],
    ['enhanced, many tracks of one codec', 9, bytes(0x96, 0x10, 'hvc1', 0), 'video-tracks hevc'],
    ['enhanced, many tracks of many codecs', 9, bytes(0x96, 0x20, 'hvc1', 0), 'video-tracks mixed'],
    ['AAC sequence header', 8, bytes(0xaf, 0, 0x12, 0x10), 'audio aac'],
    ['AAC frame', 8, bytes(0xaf, 1, 9), 'media aac'],
    ['MP3 frame', 8, bytes(0x2f, 0, 9), 'media mp3'],
    ['enhanced Opus sequence start', 8, bytes(0x90, 'Opus', 1), 'audio opus'],
    ['enhanced Opus frame', 8, bytes(0x91, 'Opus', 1), 'media opus'],
    ['enhanced channel layout', 8, bytes(0x94, 'Opus', 1), 'audio-channels opus'],
    ['enhanced audio, second track', 8, bytes(0x95, 0x00, 'mp4a', 1), 'audio-track-1 aac'],
    ['an audio format nobody knows', 8, bytes(0xc0, 1), 'media unknown'],
    ['onMetaData', 18, bytes(2, 0, 10, 'onMetaData', 8), 'metadata unknown'],
    ['other script data', 18, bytes(2, 0, 10, 'onTextData', 8), 'media unknown'],
    ['an empty body', 9, Buffer.alloc(0), 'dropped'],
    ['an encrypted tag', 0x29, bytes(0x17, 1), 'dropped'],
    ['one byte', 9, bytes(0x17), 'keyframe h264'],
    ['one byte, enhanced', 9, bytes(0x90), 'video unknown'],
  ];
  for (const [what, type, body, expected] of cases) assert.equal(describe(readTag(type, 0, body)), expected, what);
});

test('@setDataFrame is taken off the metadata', () => {
  const data = bytes(2, 0, 10, 'onMetaData', 8, 0, 0, 0, 0);
  const tag = readTag(18, 0, Buffer.concat([bytes(2, 0, 13, '@setDataFrame'), data]));
  assert.equal(tag?.slot, 'metadata');
  assert.deepEqual(tag?.body, data);
});

test('any bytes are read without a throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(8, 9, 18), fc.uint8Array({ maxLength: 40 }), (type, body) => {
      const tag = readTag(type, 0, Buffer.from(body));
      if (tag !== undefined) codecOf(tag);
    }),
    { numRuns: runs(500) },
  );
});

test('the samples have the headers and keyframes that their encoders made', () => {
  const cases = [
    ['h264-aac', 2, ['audio', 'metadata', 'video'], 'h264', 'aac'],
    ['hevc-legacy-aac', 2, ['audio', 'video'], 'hevc', 'aac'],
    ['hevc-enhanced-aac', 2, ['audio', 'video'], 'hevc', 'aac'],
    ['av1-opus-enhanced', 2, ['audio', 'video'], 'av1', 'opus'],
    ['aac', 0, ['audio', 'metadata'], undefined, 'aac'],
  ] as const;
  for (const [name, keyframes, slots, video, audio] of cases) {
    const tags = tagsOf([sample(name)]);
    assert.equal(tags.filter((tag) => tag.keyframe).length, keyframes, name);
    assert.deepEqual([...new Set(tags.flatMap((tag) => tag.slot ?? []))].sort(), slots, name);
    const codec = (type: number) => tags.filter((tag) => tag.type === type).map(codecOf);
    assert.deepEqual([...new Set(codec(9))], video === undefined ? [] : [video], name);
    assert.deepEqual([...new Set(codec(8))], [audio], name);
  }
});
