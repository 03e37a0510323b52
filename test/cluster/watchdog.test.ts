import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watchdog, type Watched, type WatchedSlot, type WatchedWorker } from '../../src/cluster/watchdog.js';
import { silentLogger } from '../../src/log.js';

const settings = { stuckAfter: 5_000, memoryLimit: 100 };

function fleet(...sizes: number[]) {
  const did: string[] = [];
  const workers = sizes.map((residentBytes, slot) => {
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      return ticks;
    };
    const kill = (cause: string) => void did.push(`${slot} killed: ${cause}`);
    return { slot, residentBytes, state: 'serving' as const, pid: slot, ageMs: 60_000, tick, kill };
  });
  const slots = workers.map((current, index): WatchedSlot => {
    const replace = async (cause: string) => {
      did.push(`${index} replaced: ${cause}`);
      current.residentBytes = 1;
    };
    return { index, current, replace };
  });
  const watchdog = new Watchdog(
    silentLogger,
    () => 60_000,
    () => 0.5,
  );
  const look = (seen: Partial<Watched<WatchedWorker>> = {}) =>
    watchdog.look({ slots, workers, settings, isOutdated: () => false, ...seen });
  return { did, look };
}

test('a worker that says nothing for stuckAfter is killed, one that drains too', () => {
  const { did, look } = fleet(1, 1);
  for (let ticks = 0; ticks < 9; ticks += 1) look({ slots: [] });
  assert.deepEqual(did, []);
  look({ slots: [] });
  assert.deepEqual(did, ['0 killed: stuck', '1 killed: stuck']);
});

test('a stuckAfter of less than two heartbeats is two', () => {
  const { did, look } = fleet(1);
  look({ settings: { ...settings, stuckAfter: 1 } });
  assert.deepEqual(did, []);
});

test('workers above their limit are replaced one after the other', async () => {
  const { did, look } = fleet(101, 101, 99);
  look();
  assert.deepEqual(did, ['0 replaced: memory']);
  await new Promise(setImmediate);
  look();
  assert.deepEqual(did, ['0 replaced: memory', '1 replaced: memory']);
});

test('a worker with settings that are not in effect is replaced, unless all are being replaced', () => {
  const { did, look } = fleet(1, 1);
  look({ slots: [], isOutdated: ({ slot }) => slot === 1 });
  assert.deepEqual(did, []);
  look({ isOutdated: ({ slot }) => slot === 1 });
  assert.deepEqual(did, ['1 replaced: rollback']);
});
