import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel, ChannelName, Endpoint } from '../../src/model.js';
import { Channels } from '../../src/snapshot/channels.js';

const channel = (name: string): Channel => ({ name: name as ChannelName, endpoints: [] });
const many = Array.from({ length: 5_000 }, (_, i) => channel(`c${i}`));
const full = Channels.empty.edit((draft) => {
  for (const each of many) draft.set(each);
});

test('it has what was set, as often as it was set, and finds each by its name', () => {
  const twice = full.edit((draft) => draft.set(channel('c1')));
  assert.equal(twice.size, many.length);
  assert.deepEqual(new Set(full.values()), new Set(many));
  assert.deepEqual(new Set(full.keys()), new Set(many.map(({ name }) => name)));
  assert.ok(many.every((each) => full.get(each.name) === each && full.has(each.name)));
  assert.equal(full.has('c5000' as ChannelName), false);
});

test('an edit leaves the map before as it was, and sees what it did itself', () => {
  const [first] = many;
  assert.ok(first);
  const less = full.edit((draft) => {
    draft.delete(first.name);
    draft.delete('nobody' as ChannelName);
    assert.equal(draft.get(first.name), undefined);
    draft.set(channel('new'));
  });
  assert.deepEqual([full.size, full.has(first.name)], [5_000, true]);
  assert.deepEqual([less.size, less.has(first.name), less.has('new' as ChannelName)], [5_000, false, true]);
});

test('a step between two maps sees nothing of what they share', () => {
  const [first] = many;
  assert.ok(first);
  const other = { ...first };
  const { changes, reached, isLast } = full.stepTo(
    full.edit((draft) => draft.set(other)),
    1,
  );
  assert.deepEqual(changes, [{ before: first, after: other }]);
  assert.equal(reached.get(first.name), other);
  assert.equal(isLast, true);
});

test('an edit of one channel copies some hundred references, however many channels there are', () => {
  let copied = 0;
  const { slice } = Array.prototype;
  Array.prototype.slice = function (this: unknown[], ...range: [number?, number?]) {
    const copy = slice.apply(this, range);
    copied += copy.length;
    return copy;
  };
  try {
    const next = full.edit((draft) => draft.set(channel('c77')));
    assert.notEqual(next.get('c77' as ChannelName), full.get('c77' as ChannelName));
  } finally {
    Array.prototype.slice = slice;
  }
  assert.ok(copied > 0 && copied <= 200, `${copied} were copied`);
});

test('steps of whole buckets lead to the other map, each no larger than it has to be', () => {
  const other = Channels.empty.edit((draft) => {
    for (const { name } of many) draft.set({ name, endpoints: [{ channel: name } as Endpoint] });
  });
  let [at, changed, steps] = [full, 0, 0];
  for (let isLast = false; !isLast; steps += 1) {
    const step = at.stepTo(other, 100);
    ({ reached: at, isLast } = step);
    changed += step.changes.length;
    assert.ok(step.changes.length < 120, `${step.changes.length} in one step`);
    assert.equal(at.size, many.length);
  }
  assert.equal(at, other);
  assert.equal(changed, many.length);
  assert.ok(steps >= 40 && steps <= 50, `${steps} steps`);
});
