import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GopCache } from '../../../src/relay/flv/gop-cache.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';
import { sample, tagsOf } from '../samples.js';

const maxBytes = 1 << 20;
const make = (type: number, ...body: number[]): FlvTag => {
  const tag = readTag(type, 0, Buffer.from(body));
  assert.ok(tag);
  return tag;
};
const key = () => make(9, 0x17, 1, 0, 0, 0);
const inter = () => make(9, 0x27, 1, 0, 0, 0);
const sound = () => make(8, 0xaf, 1, 0);
const filled = (tags: readonly FlvTag[], limit = maxBytes) => {
  const cache = new GopCache(limit);
  for (const tag of tags) cache.push(tag);
  return cache;
};

test('it holds everything from the last keyframe on', () => {
  const tags = tagsOf([sample('h264-aac')]);
  const cache = filled(tags);
  const last = tags.findLastIndex((tag) => tag.keyframe);
  assert.deepEqual(cache.tags, tags.slice(last));
  assert.equal(
    cache.bytes,
    tags.slice(last).reduce((sum, tag) => sum + tag.body.length, 0),
  );
});

test('headers come metadata first, the latest of each kind', () => {
  const old = make(9, 0x17, 0, 0, 0, 0, 1);
  const now = make(9, 0x17, 0, 0, 0, 0, 2);
  const audio = make(8, 0xaf, 0, 1);
  const meta = make(18, 2, 0, 10, ...Buffer.from('onMetaData'), 8);
  assert.deepEqual(filled([old, audio, meta, now]).headers, [meta, now, audio]);
});

test('nothing is offered before the first keyframe', () => {
  assert.deepEqual(filled([inter(), sound()]).tags, []);
});

test('audio alone is not collected: its viewers start at the live edge', () => {
  const cache = filled(tagsOf([sample('aac')]));
  assert.deepEqual(cache.tags, []);
  assert.deepEqual(
    cache.headers.map((tag) => tag.slot),
    ['metadata', 'audio'],
  );
  assert.deepEqual(cache.codecs, { audio: 'aac', video: undefined });
});

test('a group that outgrows its bytes is dropped until the next keyframe', () => {
  const cache = filled([key(), inter(), inter(), inter()], 900);
  assert.deepEqual(cache.tags, []);
  cache.push(inter());
  assert.deepEqual([cache.tags.length, cache.bytes], [0, 0]);
  cache.push(key());
  assert.equal(cache.tags.length, 1);
});

test('a group of very many frames is kept, as long as its bytes are few', () => {
  const cache = filled([key(), ...Array.from({ length: 10_000 }, inter)], 8 << 20);
  assert.equal(cache.tags.length, 10_001);
});

test('what was received with a group and left out counts as well, since the group keeps it in memory', () => {
  const cache = filled([key(), inter()], 100_000);
  cache.received(60_000);
  assert.equal(cache.tags.length, 2);
  cache.received(60_000);
  assert.equal(cache.tags.length, 0);
});

test('a header amid a group is offered in its place too', () => {
  const change = make(9, 0x17, 0, 0, 0, 0, 9);
  assert.deepEqual(
    filled([key(), change, inter()]).tags.map((tag) => tag.slot),
    [undefined, 'video', undefined],
  );
});

test('header slots are bounded', () => {
  const tracks = Array.from({ length: 200 }, (_, id) => make(9, 0x96, 0x00, ...Buffer.from('hvc1'), id));
  assert.equal(filled(tracks).headers.length, 32);
});

test('codecs follow the headers', () => {
  const cache = filled([make(9, 0x17, 0, 0, 0, 0), key()]);
  assert.equal(cache.codecs.video, 'h264');
  cache.push(make(9, 0x90, ...Buffer.from('hvc1')));
  assert.equal(cache.codecs.video, 'hevc');
});

test('a camera that is switched off leaves no old group, and none is gathered until it is back', () => {
  const at = (tag: FlvTag, timestamp: number) => ({ ...tag, timestamp });
  const cache = filled([key(), ...Array.from({ length: 200 }, (_, index) => at(sound(), index * 23))]);
  assert.deepEqual([cache.audioOnly, cache.tags.length, cache.codecs.video], [true, 0, 'h264']);
  cache.push(at(inter(), 5_000));
  assert.deepEqual([cache.audioOnly, cache.tags.length], [false, 0]);
  cache.push(at(key(), 5_040));
  assert.equal(cache.tags.length, 1);
});
