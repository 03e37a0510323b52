// Which edge has a channel, while edges come, go and fail.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { AvoidCause } from '../../src/metrics.js';
import type { ChannelName } from '../../src/model.js';
import { Neighbours } from '../../src/sharding/neighbours.js';
import { owningEdge, type SiteEdge } from '../../src/sharding/owner.js';

const edges: readonly SiteEdge[] = ['a', 'b', 'c', 'd'].map((name) => ({
  name,
  address: `10.0.0.1:${name.charCodeAt(0)}`,
}));
const names = Array.from({ length: 200 }, (_, index) => `channel-${index}` as ChannelName);
const ownedBy = (name: string) =>
  names.find((channel) => owningEdge(channel, edges)?.name === name) ?? ('' as ChannelName);
const without = (...gone: string[]) => edges.filter(({ name }) => !gone.includes(name));

/** Edge `a`, with its clock and what it finds when it looks at another edge. */
function neighbours() {
  let now = 0;
  const answers = new Map<string, boolean>();
  const asked: string[] = [];
  const changes: (readonly ChannelName[] | 'all')[] = [];
  const causes: AvoidCause[] = [];
  const made = new Neighbours({
    now: () => now,
    probe: async ({ name }) => {
      asked.push(name);
      return answers.get(name) ?? true;
    },
    changed: (channels) => changes.push(channels === 'all' ? 'all' : [...channels]),
    avoided: (cause) => causes.push(cause),
  });
  made.set({ self: 'a', edges });
  /** Lets `ms` pass, and what is under way come to its end. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      now += 250;
      mock.timers.tick(250);
      await settled();
    }
  };
  return { made, pass, answers, asked, changes, causes };
}
const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

test('every edge but the owner takes a channel from the owner, and all name the same one', () => {
  const { made } = neighbours();
  for (const channel of names) {
    const owner = owningEdge(channel, edges);
    assert.equal(made.ownerOf(channel)?.name, owner?.name === 'a' ? undefined : owner?.name);
  }
  const owners = new Set(names.map((channel) => owningEdge(channel, edges)?.name));
  assert.deepEqual([...owners].sort(), ['a', 'b', 'c', 'd']);
});

test('an edge that leaves moves its own channels only; the last one left takes all from the origins', () => {
  const { made } = neighbours();
  const before = new Map(names.map((channel) => [channel, owningEdge(channel, edges)?.name]));
  made.set({ self: 'a', edges: without('b') });
  for (const channel of names) {
    const after = made.ownerOf(channel)?.name ?? 'a';
    if (before.get(channel) === 'b') assert.notEqual(after, 'b');
    else assert.equal(after, before.get(channel));
  }
  made.set({ self: 'a', edges: without('b', 'c', 'd') });
  for (const channel of names) assert.equal(made.ownerOf(channel), undefined);
});

test('a list that says nothing new changes nothing', async () => {
  const { made, changes } = neighbours();
  await settled();
  changes.length = 0;
  made.set({ self: 'a', edges: [...edges].reverse().map((edge) => ({ ...edge })) });
  await settled();
  assert.deepEqual(changes, []);
});

test('a channel that its owner failed goes to the next edge, then to the origins, and back after a while', async () => {
  const { made, pass, changes, causes } = neighbours();
  const channel = ownedBy('b');
  const next = owningEdge(channel, without('b', 'a'))?.name;
  const isOwnNext = owningEdge(channel, without('b'))?.name === 'a';
  await settled();
  changes.length = 0;
  const generation = made.generation(channel, 'b');
  made.failed(channel, 'b');
  made.failed(channel, 'b');
  assert.equal(made.ownerOf(channel)?.name, isOwnNext ? undefined : next);
  await settled();
  assert.deepEqual([changes, causes], [[[channel]], ['failed']]);
  const other = made.ownerOf(channel)?.name;
  if (other !== undefined) made.failed(channel, other);
  assert.equal(made.ownerOf(channel), undefined, 'no third edge is tried');
  assert.equal(
    made.ownerOf(names.find((each) => each !== channel && owningEdge(each, edges)?.name === 'b') ?? channel)?.name,
    'b',
  );
  await pass(2_250);
  assert.equal(made.ownerOf(channel)?.name, 'b');
  assert.notEqual(made.generation(channel, 'b'), generation, 'as one that may be tried again');
  made.close();
});

test('one that fails a channel again and again is tried less and less, and begins anew when it has done well', async () => {
  const { made, pass } = neighbours();
  const channel = ownedBy('b');
  const avoidedFor = async () => {
    made.failed(channel, 'b');
    let ms = 0;
    for (; made.ownerOf(channel)?.name !== 'b' && ms < 300_000; ms += 250) await pass(250);
    return ms;
  };
  const times = [await avoidedFor(), await avoidedFor(), await avoidedFor()];
  assert.deepEqual(times, [2_000, 4_000, 8_000]);
  for (let round = 0; round < 6; round += 1) await avoidedFor();
  assert.equal(await avoidedFor(), 60_000, 'never longer');
  await pass(61_000);
  assert.equal(await avoidedFor(), 2_000);
  made.close();
});

test('an edge that cannot be reached loses all its channels, and gets them back when it answers again', async () => {
  const { made, pass, answers, asked, causes } = neighbours();
  const channel = ownedBy('c');
  answers.set('c', false);
  made.unreachable('c');
  assert.ok(names.every((each) => made.ownerOf(each)?.name !== 'c'));
  await pass(2_000);
  assert.deepEqual(asked, ['c']);
  assert.notEqual(made.ownerOf(channel)?.name, 'c', 'it did not answer');
  answers.set('c', true);
  await pass(3_750);
  assert.notEqual(made.ownerOf(channel)?.name, 'c', 'it is looked at after twice the time');
  await pass(250);
  assert.equal(made.ownerOf(channel)?.name, 'c');
  assert.deepEqual(causes, ['unreachable', 'unreachable']);
  made.close();
});

test('after one channel was lost the edge is looked at, and where it is dead no other channel has to find out', async () => {
  const { made, answers, causes } = neighbours();
  answers.set('b', false);
  made.failed(ownedBy('b'), 'b');
  await settled();
  assert.ok(names.every((each) => made.ownerOf(each)?.name !== 'b'));
  assert.deepEqual(causes, ['failed', 'unreachable']);
  made.close();
});

test('an edge that has come back elsewhere is used at once', () => {
  const { made } = neighbours();
  const channel = ownedBy('c');
  made.unreachable('c');
  made.set({ self: 'a', edges: [...without('c'), { name: 'c', address: '10.0.0.9:1' }] });
  assert.equal(made.ownerOf(channel)?.address, '10.0.0.9:1');
  made.close();
});
