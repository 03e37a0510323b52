import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matureAgeMs, Renewals } from '../../src/cluster/renewals.js';

const second = 1_000;
const minute = 60 * second;
const done = async () => undefined;
const nobody = () => undefined;

/** A worker that is above its limit from its first moment on, as with a limit below what any worker needs. */
async function hopeless(hours: number): Promise<number[]> {
  let now = 0;
  let startedAt = 0;
  const renewals = new Renewals(
    () => now,
    () => 0.5,
  );
  const replacedAt: number[] = [];
  for (; now < hours * 60 * minute; now += second / 2) {
    const age = now - startedAt;
    if (!renewals.isDue(0, 'memory', age)) continue;
    await renewals.run(0, 'memory', age, done, nobody);
    replacedAt.push(now);
    startedAt = now;
  }
  return replacedAt;
}

test('a worker that is always above its memory limit is replaced ever more seldom, at most six times an hour in the end', async () => {
  const at = await hopeless(5);
  const pauses = at.map((time, index) => time - (at[index - 1] ?? 0));
  assert.deepEqual(
    pauses,
    [...pauses].sort((a, b) => a - b),
  );
  assert.ok(at.filter((time) => time > 60 * minute).length <= 4 * 6, `${at.length} times in five hours`);
});

test('a leak that takes an hour to show is answered at once, however often it was before', async () => {
  let now = 0;
  const renewals = new Renewals(
    () => now,
    () => 0.5,
  );
  for (let round = 0; round < 20; round += 1) {
    now += 60 * minute;
    assert.equal(renewals.isDue(0, 'memory', 60 * minute), true);
    await renewals.run(0, 'memory', 60 * minute, done, nobody);
  }
  assert.equal(renewals.isDue(0, 'memory', matureAgeMs(1) + 1), true);
});

test('one worker at a time', async () => {
  const renewals = new Renewals(
    () => 0,
    () => 0.5,
  );
  const { promise, resolve } = withResolvers();
  const running = renewals.run(0, 'memory', minute, () => promise, nobody);
  assert.equal(renewals.isDue(1, 'memory', minute), false);
  resolve();
  await running;
  assert.equal(renewals.isDue(1, 'memory', minute), true);
});

test('a replacement that fails is tried again, ever more seldom', async () => {
  let now = 0;
  const renewals = new Renewals(
    () => now,
    () => 1,
  );
  const failures: unknown[] = [];
  const fail = () => Promise.reject(new Error('no room'));
  const pauses: number[] = [];
  for (let last = 0; pauses.length < 8; now += 100) {
    if (!renewals.isDue(0, 'rollback', minute)) continue;
    pauses.push(now - last);
    last = now;
    await renewals.run(0, 'rollback', minute, fail, (error) => failures.push(error));
  }
  assert.deepEqual(pauses, [0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  assert.equal(failures.length, 8);
});

function withResolvers() {
  let resolve: () => void = nobody;
  const promise = new Promise<void>((onDone) => {
    resolve = onDone;
  });
  return { promise, resolve };
}
