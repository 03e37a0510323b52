import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderSlots } from '../../../src/relay/flv/header-slots.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';

const make = (type: number, body: Buffer): FlvTag => {
  const tag = readTag(type, 0, body);
  assert.ok(tag);
  return tag;
};
const track = (id: number, size = 1) =>
  make(9, Buffer.concat([Buffer.from([0x96, 0x00]), Buffer.from('hvc1'), Buffer.from([id]), Buffer.alloc(size)]));
const bytesOf = (slots: HeaderSlots) => slots.all.reduce((sum, { body }) => sum + body.length, 0);

test('however many tracks an origin sends headers for, and however large, what is kept stays small', () => {
  const slots = new HeaderSlots();
  for (let round = 1; round < 20; round += 1) {
    for (let id = 0; id < 256; id += 1) slots.set(track(id, round * 5_000));
    assert.ok(slots.all.length <= 32);
    assert.ok(bytesOf(slots) <= 512 * 1024);
  }
});

test('a header that outgrew its room makes room again', () => {
  const slots = new HeaderSlots();
  slots.set(track(1, 400_000));
  slots.set(track(1, 600_000));
  assert.deepEqual(slots.all, []);
  slots.set(track(2, 500_000));
  assert.equal(slots.all.length, 1);
});

test('a header that is kept does not keep the chunk that it came in', () => {
  const chunk = Buffer.alloc(65_536);
  chunk.set([0x17, 0, 0, 0, 0], 100);
  const slots = new HeaderSlots();
  slots.set(make(9, chunk.subarray(100, 120)));
  assert.notEqual(slots.all[0]?.body.buffer, chunk.buffer);
});
