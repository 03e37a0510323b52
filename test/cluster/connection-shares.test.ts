import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowances, ConnectionShares } from '../../src/cluster/connection-shares.js';
import { News } from '../../src/cluster/news.js';

const calm = (open: number) => ({ open, calm: true });
const busy = (open: number) => ({ open, calm: false });
const all = Number.POSITIVE_INFINITY;

for (const [name, workers, expected] of [
  ['a worker alone takes all', [calm(7)], [all]],
  ['a small lead is left to whoever wakes first', [calm(0), calm(0)], [16, 16]],
  ['the lead is over the one with the fewest, whose own is over the next', [calm(100), calm(40)], [56, 116]],
  ['with many connections the lead is a share', [calm(8_000), calm(9_000)], [10_125, 9_000]],
  ['three workers', [calm(10), calm(200), calm(50)], [66, 26, 26]],
  ['nobody waits for one that has no time', [calm(100), busy(0), calm(90)], [106, 106, 116]],
  ['nor is there a limit beside such only', [calm(100), busy(0)], [all, 116]],
  ['where none has time, who comes first takes', [busy(100), busy(0)], [all, all]],
] as const) {
  test(name, () => assert.deepEqual(allowances(workers), expected));
}

test('shares are told whenever a worker says how many connections it has, to those that serve', () => {
  const told: string[] = [];
  const worker = (name: string, open: number, { silentTicks = 0, utilization = 0.1 } = {}) => ({
    intake: { open, accepting: true },
    silentTicks,
    utilization,
    allow: (connections: number) => void told.push(`${name}: ${connections}`),
  });
  const [one, other] = [worker('one', 100), worker('other', 40)];
  const serving = [one, other];
  const news = new News<(typeof serving)[number]>();
  const shares = new ConnectionShares({ serving: () => serving, all: () => serving }, news);
  news.emit(one, { kind: 'intake', intake: { open: 100, accepting: true } });
  assert.deepEqual(told.splice(0), ['one: 56', 'other: 116']);
  for (const hindered of [worker('hindered', 0, { silentTicks: 2 }), worker('hindered', 0, { utilization: 0.95 })]) {
    serving.splice(1, 1, hindered);
    shares.share();
    assert.deepEqual(told.splice(0), ['one: Infinity', 'hindered: 116'], 'nobody waits for it');
  }
});
