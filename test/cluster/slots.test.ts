import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from '../../src/cluster/slots.js';
import { ScriptedSlots } from '../support/slot-tools.js';

async function started(count: number) {
  const scripted = new ScriptedSlots();
  const slots = new Slots(scripted.tools);
  scripted.lost = (worker) => slots.lost(worker);
  await slots.start(count);
  return { scripted, slots };
}
const numbers = (slots: Slots) => slots.serving.map(({ slot }) => slot);
const ids = (slots: Slots) => slots.serving.map(({ id }) => id);

test('slots are numbered from 0, with a worker in each', async () => {
  const { slots } = await started(3);
  assert.deepEqual(numbers(slots), [0, 1, 2]);
});

test('fewer slots: those with the highest numbers go, and the others keep their workers', async () => {
  const { scripted, slots } = await started(3);
  await slots.scale(1);
  assert.deepEqual(ids(slots), [1]);
  assert.deepEqual(
    scripted.workers.map(({ isEnding }) => isEnding),
    [false, true, true],
  );
});

test('more slots: one whose worker cannot start is tried again, and holds up none', async () => {
  const { scripted, slots } = await started(1);
  scripted.children.next.push('fail');
  await slots.scale(3);
  await slots.idle();
  assert.deepEqual(numbers(slots), [0, 1, 2]);
  assert.equal(scripted.children.all.length, 4);
});

test('outdated workers are replaced one after the other, the others are left', async () => {
  const { slots } = await started(3);
  const order: number[] = [];
  const isOutdated = ({ id }: { id: number }) => id !== 2;
  await slots.replace(isOutdated, 'reload', async () => void order.push(...ids(slots)));
  assert.deepEqual(order, [1, 2, 3, 4, 2, 3], 'the second waits for the first');
  assert.deepEqual(ids(slots), [4, 2, 5]);
});

test('the first failure ends a replacement, and every slot is served', async () => {
  const { scripted, slots } = await started(2);
  scripted.children.next.push('fail');
  await assert.rejects(
    slots.replace(
      () => true,
      'reload',
      async () => {},
    ),
    { code: 'EADDRINUSE' },
  );
  assert.deepEqual(ids(slots), [1, 2]);
});

test('once they are closed, nobody is started: not for who ends, not for more', async () => {
  const { scripted, slots } = await started(2);
  slots.close();
  scripted.children.all[0]?.ends(1);
  await slots.scale(5);
  await slots.idle();
  assert.deepEqual(ids(slots), [2]);
});
