import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';
import { VideoPresence } from '../../../src/relay/flv/video-presence.js';

const make = (type: number, timestamp: number, ...body: number[]): FlvTag => {
  const tag = readTag(type, timestamp >>> 0, Buffer.from(body));
  assert.ok(tag);
  return tag;
};
const header = make(9, 0, 0x17, 0, 0, 0, 0);
const key = (at: number) => make(9, at, 0x17, 1, 0, 0, 0);
const inter = (at: number) => make(9, at, 0x27, 1, 0, 0, 0);
/** Sound from one time to another, a frame every `step` ms. */
const sound = (from: number, to: number, step = 23) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => make(8, from + index * step, 0xaf, 1));

function after(...tags: (FlvTag | FlvTag[])[]): boolean {
  const presence = new VideoPresence();
  for (const tag of tags.flat()) presence.add(tag);
  return presence.there;
}

test('pictures are there while they come, and away when the sound goes on without them for long', () => {
  const cases: [string, boolean, (FlvTag | FlvTag[])[]][] = [
    ['nothing yet', false, []],
    ['only sound', false, [sound(0, 500)]],
    ['a keyframe', true, [key(0)]],
    ['a header, and a moment of sound', true, [header, sound(0, 2_000)]],
    ['a header that stays alone', false, [header, sound(0, 3_000)]],
    ['a header that is repeated, and stays alone', false, [header, sound(0, 2_000), header, sound(2_000, 4_000)]],
    ['a camera switched off', false, [key(0), inter(40), sound(40, 3_000)]],
    ['packets of sound that are long', false, [key(0), sound(0, 3_000, 128)]],
    ['a camera switched on again', true, [key(0), sound(0, 60_000), inter(60_000)]],
    ['slides', true, [key(0), sound(0, 5_000), inter(5_000), sound(5_000, 12_000)]],
    ['slides that end', false, [key(0), sound(0, 5_000), inter(5_000), sound(5_000, 20_000)]],
    ['slides that are keyframes', true, [key(0), sound(0, 5_000), key(5_000), sound(5_000, 12_000)]],
    [
      'a camera on again for a while, then off',
      false,
      [key(0), sound(0, 60_000), key(60_000), key(61_000), sound(61_000, 64_000)],
    ],
    [
      'a camera that was off for an hour, and is off again',
      false,
      [key(0), sound(0, 3_600_000, 200), key(0), sound(0, 40_000)],
    ],
    ['a clock that jumps', true, [key(0), sound(0, 1_000), sound(900_000, 900_800), sound(0, 300)]],
    ['the wrap of the clock', true, [key(0xffff_fc00), sound(0xffff_fc00, 0xffff_fc00 + 2_000)]],
  ];
  for (const [what, expected, tags] of cases) assert.equal(after(...tags), expected, what);
});
