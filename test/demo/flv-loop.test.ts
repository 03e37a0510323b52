import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlvLoop } from '../../src/demo/flv-loop.js';
import { sample } from '../../src/demo/sample.js';

const { flv } = sample();
const perLoop = 400 + 750;

interface Tag {
  kind: number;
  time: number;
  key: boolean;
  header: boolean;
}

function tagsOf(bytes: Buffer): Tag[] {
  const tags: Tag[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUIntBE(at + 1, 3);
    const [kind = 0, high = 0, codec = 0, type = 0] = [bytes[at], bytes[at + 7], bytes[at + 11], bytes[at + 12]];
    const time = high * 2 ** 24 + bytes.readUIntBE(at + 4, 3);
    tags.push({ kind, time, key: kind === 9 && codec >> 4 === 1, header: kind !== 18 && type === 0 });
    assert.equal(bytes.readUInt32BE(at + 11 + size), 11 + size);
    at += 15 + size;
  }
  return tags;
}

test('loops follow each other with an even distance between pictures and between audio frames', () => {
  const tags = tagsOf(flv.render(0, 3 * perLoop));
  for (const [kind, count, least, most] of [
    [9, 1200, 40, 40],
    [8, 2250, 21, 22],
  ] as const) {
    const times = tags.filter((tag) => tag.kind === kind).map((tag) => tag.time);
    assert.equal(times.length, count);
    const steps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.ok(
      steps.every((step) => step >= least && step <= most),
      `steps of ${kind}: ${Math.min(...steps)} to ${Math.max(...steps)}`,
    );
  }
  assert.ok(tags.every((tag, i) => tag.time >= (tags[i - 1]?.time ?? 0)));
});

test('a keyframe stands at every second', () => {
  const keys = tagsOf(flv.render(0, 2 * perLoop)).filter((tag) => tag.key);
  assert.deepEqual(
    keys.map((tag) => tag.time),
    Array.from({ length: 32 }, (_, second) => second * 1000),
  );
});

test('the tags due at a time are those up to it', () => {
  for (const time of [0, 1, 39, 40, 15_999, 16_000, 16_001, 1_000_000]) {
    const next = flv.firstAfter(time);
    assert.ok(flv.timeOf(next) > time && flv.timeOf(next - 1) <= time, `at ${time}`);
  }
});

test('a late joiner begins with the last keyframe', () => {
  for (const [time, expected] of [
    [0, 0],
    [999, 0],
    [1000, 1000],
    [16_010, 16_000],
    [47_999, 47_000],
  ] as const) {
    const start = flv.keyframeBefore(flv.firstAfter(time));
    assert.equal(flv.timeOf(start), expected);
    assert.equal(tagsOf(flv.render(start, start + 1))[0]?.key, true);
  }
});

test('the opening is metadata and both sequence headers, at the time given', () => {
  const tags = tagsOf(flv.opening(123_456_789));
  assert.deepEqual(
    tags.map((tag) => tag.kind),
    [18, 9, 8],
  );
  assert.ok(tags.every((tag) => tag.time === 123_456_789 && (tag.kind === 18 || tag.header)));
});

test('timestamps can count from where a viewer joined', () => {
  const start = flv.keyframeBefore(flv.firstAfter(20_000));
  assert.equal(tagsOf(flv.render(start, start + 1, flv.timeOf(start)))[0]?.time, 0);
});

test('timestamps wrap at 32 bits', () => {
  const loops = Math.ceil(2 ** 32 / 16_000);
  const first = tagsOf(flv.render(loops * perLoop, loops * perLoop + 1))[0];
  assert.equal(first?.time, loops * 16_000 - 2 ** 32);
});

test('what cannot be looped is refused', () => {
  const file = Buffer.concat([flv.header, flv.opening(0), flv.render(0, perLoop)]);
  assert.throws(() => new FlvLoop(Buffer.from('not an FLV file'), 16_000), /not an FLV file/);
  assert.throws(() => new FlvLoop(file, 15_000), /exceed the duration/);
  const late = Buffer.concat([flv.header, flv.render(1, 10)]);
  assert.throws(() => new FlvLoop(late, 16_000), /not a keyframe/);
});
