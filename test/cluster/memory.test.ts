import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planMemory } from '../../src/cluster/memory.js';

const MiB = 1024 ** 2;
const machine = (memoryBytes: number) => ({ cores: 2, memoryBytes: memoryBytes * MiB });
const auto = { memoryLimit: 'auto', budgets: { cache: 256 * MiB, lists: 256 * MiB }, onHeap: [] } as const;

test('auto is 80 % of the machine among the workers, and what is set is used where it fits', () => {
  const plan = planMemory(auto, 4, machine(10_240));
  assert.deepEqual(plan, { limitBytes: 2_048 * MiB, budgets: auto.budgets, notice: undefined });
});

test('what does not fit beside a worker gets what fits, each its part, and that is told', () => {
  // A container of 512 MiB with two workers.
  const budgets = { cache: 300 * MiB, lists: 100 * MiB };
  const {
    limitBytes,
    budgets: used,
    notice,
  } = planMemory({ memoryLimit: 'auto', budgets, onHeap: [] }, 2, machine(512));
  assert.equal(Math.floor(limitBytes / MiB), 204);
  assert.deepEqual([Math.floor(used.cache / MiB), Math.floor(used.lists / MiB)], [57, 19]);
  assert.equal(notice?.level, 'info');
  assert.match(notice.text, /^of cache \(300 MiB\), lists \(100 MiB\) 76 MiB in all are used: .* the 204 MiB /);
  const smaller = { memoryLimit: 'auto', budgets: { cache: 64 * MiB }, onHeap: [] } as const;
  assert.equal(planMemory(smaller, 2, machine(512)).notice, undefined);
});

test('what is on the heap takes half as much again: garbage lies there until it is collected', () => {
  const wanted = { memoryLimit: 'auto', budgets: { cache: 100 * MiB, lists: 100 * MiB }, onHeap: ['lists'] } as const;
  assert.equal(planMemory(wanted, 1, machine(475)).notice, undefined);
  const { budgets } = planMemory(wanted, 1, machine(400));
  assert.deepEqual([Math.floor(budgets.cache / MiB), Math.floor(budgets.lists / MiB)], [76, 76]);
});

test('what a worker keeps for its players never takes it over its limit, whatever the machine', () => {
  for (let memoryBytes = 32; memoryBytes < 100_000; memoryBytes *= 1.7) {
    for (const workers of [1, 2, 8, 64]) {
      for (const size of [0, 1, 64, 256, 4_096]) {
        const wanted = { cache: size * MiB, lists: 100 * MiB };
        const settings = { memoryLimit: 'auto', budgets: wanted, onHeap: ['lists'] } as const;
        const { limitBytes, budgets } = planMemory(settings, workers, machine(memoryBytes));
        const where = `${memoryBytes} MiB, ${workers} workers, ${size} MiB`;
        assert.ok(budgets.cache <= wanted.cache && budgets.lists <= wanted.lists, where);
        assert.ok(budgets.cache + 1.5 * budgets.lists + 128 * MiB <= limitBytes, where);
      }
    }
  }
});

test('a machine too small for its workers is told, and they are not replaced for it', () => {
  const { limitBytes, notice } = planMemory(auto, 8, machine(512));
  assert.equal(limitBytes, 160 * MiB);
  assert.equal(notice?.level, 'warn');
  assert.match(notice.text, /the 51 MiB .* less than the 160 MiB that it needs: lower workers/);
});

test('a limit that is set stays; one below what a worker needs is told', () => {
  const given = planMemory(
    { memoryLimit: 1_024 * MiB, budgets: { cache: 1_024 * MiB }, onHeap: [] },
    4,
    machine(10_240),
  );
  assert.deepEqual([given.limitBytes, given.budgets.cache], [1_024 * MiB, 896 * MiB]);
  const hopeless = planMemory({ memoryLimit: 80 * MiB, budgets: { cache: 256 * MiB }, onHeap: [] }, 4, machine(10_240));
  assert.equal(hopeless.limitBytes, 80 * MiB);
  assert.match(hopeless.notice?.text ?? '', /^cluster\.memoryLimit is 80 MiB, less than the 144 MiB/);
});
