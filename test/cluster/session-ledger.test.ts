import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionLedger } from '../../src/cluster/session-ledger.js';
import type { SessionState } from '../../src/data-plane/contract.js';

const settings = { sessionIdle: 1000, maxSessions: 5 };
const state = (key: string, bytes = 1) => ({ key, channel: 'news', bytes }) as SessionState;

test('sessions are remembered in a bounded number and in bounded memory, those told of last', () => {
  let now = 0;
  const ledger = new SessionLedger(() => now);
  const keys = () => ledger.of(() => true).map(({ key }) => key);
  ledger.report(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => state(key)),
    settings,
  );
  assert.deepEqual(keys(), ['b', 'c', 'd', 'e', 'f']);
  ledger.report([state('b', 40 * 1024 * 1024)], settings);
  ledger.report([state('g', 40 * 1024 * 1024)], settings);
  assert.deepEqual(keys(), ['g'], 'what was told before had to go');
  ledger.report([state('g', 10), state('h', 10)], settings);
  ledger.report([state('i', 60 * 1024 * 1024)], settings);
  assert.deepEqual(keys(), ['g', 'h', 'i'], 'what was told anew is not counted twice');
  now = 1500;
  ledger.report([], settings);
  assert.deepEqual(keys(), []);
});
