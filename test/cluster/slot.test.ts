import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slot } from '../../src/cluster/slot.js';
import { ScriptedSlots } from '../support/slot-tools.js';

async function started(...conducts: ScriptedSlots['children']['next']) {
  const scripted = new ScriptedSlots();
  const slot = new Slot(3, scripted.tools);
  scripted.lost = (worker) => slot.lost(worker);
  await slot.start();
  scripted.children.next.push(...conducts);
  return { scripted, slot, first: scripted.workers[0] };
}

test('a slot starts a worker, and says that it serves', async () => {
  const { scripted, slot, first } = await started();
  assert.equal(slot.current, first);
  assert.equal(first?.slot, 3);
  assert.equal(scripted.changes, 1);
});

test('a worker that cannot start leaves no process behind, and the slot empty', async () => {
  const scripted = new ScriptedSlots();
  scripted.children.next.push('fail');
  const slot = new Slot(0, scripted.tools);
  await assert.rejects(slot.start(), { code: 'EADDRINUSE' });
  assert.equal(slot.current, undefined);
  assert.deepEqual(scripted.children.alive, []);
  assert.equal(scripted.changes, 0);
});

test('a worker that is replaced drains when the next one serves, and not before', async () => {
  const { scripted, slot, first } = await started();
  const replacing = slot.replace('memory');
  assert.equal(first?.state, 'serving');
  await replacing;
  assert.equal(slot.current, scripted.workers[1]);
  assert.equal(first?.cause, 'memory');
  await first?.exited;
});

test('the present worker stays where the next one cannot start', async () => {
  const { slot, first } = await started('fail');
  await assert.rejects(slot.replace('reload'), { code: 'EADDRINUSE' });
  assert.equal(slot.current, first);
  assert.equal(first?.state, 'serving');
});

test('a worker that dies is brought back at once, then after pauses that grow', async () => {
  const { scripted, slot } = await started('fail', 'no process', 'no memory');
  const { children } = scripted;
  children.all[0]?.ends(null, 'SIGSEGV');
  assert.notEqual(slot.current, scripted.workers[0], 'nobody serves for a moment');
  await slot.idle;
  assert.equal(slot.current?.state, 'serving');
  assert.equal(children.all.length, 4, 'one more than those for which there was memory');
  assert.equal(scripted.pauses.length, 3);
  const [a = 0, b = 0, c = 0] = scripted.pauses;
  assert.ok(a > 0 && a < b && b < c, scripted.pauses.join());
});

test('one that served long enough is brought back without a pause again', async () => {
  const { scripted, slot } = await started();
  for (let round = 0; round < 3; round += 1) {
    scripted.now += 60_000;
    scripted.children.all.at(-1)?.ends(1);
    await slot.idle;
  }
  assert.deepEqual(scripted.pauses, []);
  assert.equal(slot.current, scripted.workers[3]);
});

test('a slot that is closed starts nobody any more, and leaves who serves', async () => {
  const { scripted, slot, first } = await started();
  slot.close();
  await slot.replace('reload');
  assert.equal(slot.current, first);
  scripted.children.all[0]?.ends(1);
  await slot.idle;
  assert.equal(scripted.workers.length, 1);
});

test('a slot that is retired drains also who only starts', async () => {
  const { scripted, slot, first } = await started('hang');
  const replacing = slot.replace('reload');
  await Promise.resolve();
  slot.retire('reload');
  scripted.children.all[1]?.ends(0);
  await assert.rejects(replacing);
  assert.equal(first?.cause, 'reload');
  assert.equal(slot.current, undefined);
});
