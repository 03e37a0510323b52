import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeRecord } from '../../src/fleet/edge-record.js';
import { writeDueMs } from '../../src/fleet/write-due.js';

const record: EdgeRecord = {
  version: '0.1.0',
  workers: 2,
  started: '2026-01-01T00:00:00.000Z',
  players: 'http://edge-1:8080',
  viewers: 100,
  kbps: 100_000,
  config: { revision: '17' },
};
const told = { record, at: 1_000 };

test('an edge that was not told of yet is told of at once', () => {
  assert.equal(writeDueMs(undefined, record, 5), 0);
});

test('nothing is written while nothing changes', () => {
  assert.equal(writeDueMs(told, { ...record, config: { revision: '17' } }, 1e9), undefined);
});

test('what matters is told within a second, and two writes are never closer', () => {
  for (const change of [
    { workers: 3 },
    { peers: 'http://a:1' },
    { config: { revision: '18' } },
    { config: undefined },
  ]) {
    assert.equal(writeDueMs(told, { ...record, ...change }, 1_200), 800);
    assert.equal(writeDueMs(told, { ...record, ...change }, 3_000), 0);
  }
});

test('numbers that changed by a fifth are told after seconds, smaller changes after a minute', () => {
  assert.equal(writeDueMs(told, { ...record, viewers: 120 }, 2_000), 4_000);
  assert.equal(writeDueMs(told, { ...record, kbps: 80_000 }, 2_000), 4_000);
  assert.equal(writeDueMs(told, { ...record, viewers: 119 }, 2_000), 59_000);
  assert.equal(writeDueMs(told, { ...record, viewers: 119 }, 61_000), 0);
});

test('few viewers who come and go are no large change', () => {
  const few = { record: { ...record, viewers: 1, kbps: 500 }, at: 1_000 };
  assert.equal(writeDueMs(few, { ...record, viewers: 5, kbps: 900 }, 2_000), 59_000);
  assert.equal(writeDueMs(few, { ...record, viewers: 11, kbps: 500 }, 2_000), 4_000);
});
