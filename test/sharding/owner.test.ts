import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Member, ownerOf } from '../../src/sharding/owner.js';

const members = (...slots: number[]): Member[] => slots.map((slot) => ({ slot, name: `w${slot}`, socket: '' }));
const channels = Array.from({ length: 2_000 }, (_, index) => `channel-${index}`);
const slotOf = (channel: string, all: Member[]) => ownerOf(channel, all)?.slot;

test('channels spread evenly over the workers', () => {
  for (const count of [2, 3, 8]) {
    const all = members(...Array.from({ length: count }, (_, slot) => slot));
    const counts = Array.from({ length: count }, () => 0);
    for (const channel of channels) counts[slotOf(channel, all) ?? 0] = (counts[slotOf(channel, all) ?? 0] ?? 0) + 1;
    for (const owned of counts) assert.ok(Math.abs(owned - 2_000 / count) < 0.2 * (2_000 / count), `${counts}`);
  }
});

test('a worker that leaves moves its own channels only, and gets them back', () => {
  const all = members(0, 1, 2, 3);
  const without = members(0, 1, 3);
  for (const channel of channels) {
    const before = slotOf(channel, all);
    const after = slotOf(channel, without);
    if (before === 2) assert.notEqual(after, 2);
    else assert.equal(after, before);
  }
});

test('the order in which workers are told does not matter, nor does the process in a slot', () => {
  for (const channel of channels.slice(0, 200)) {
    assert.equal(slotOf(channel, members(0, 1, 2)), slotOf(channel, members(2, 0, 1)));
    const renamed = members(0, 1, 2).map((member) => ({ ...member, name: `${member.name}-again` }));
    assert.equal(slotOf(channel, renamed), slotOf(channel, members(0, 1, 2)));
  }
});

test('without workers nobody owns a channel', () => assert.equal(ownerOf('news', []), undefined));
