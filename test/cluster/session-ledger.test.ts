import assert from 'node:assert/strict';
import { test } from 'node:test';
import { News } from '../../src/cluster/news.js';
import { SessionLedger } from '../../src/cluster/session-ledger.js';
import type { SessionState } from '../../src/data-plane/contract.js';

const state = (key: string, bytes = 1) => ({ key, channel: `channel of ${key}`, bytes }) as SessionState;

function start() {
  const news = new News<undefined>();
  const settings = { sessionIdle: 1_000, maxSessions: 5 };
  const clock = { now: 0 };
  const ledger = new SessionLedger(
    news,
    () => settings,
    () => clock.now,
  );
  return {
    settings,
    clock,
    ledger,
    report: (...sessions: SessionState[]) => news.emit(undefined, { kind: 'sessions', sessions }),
    keys: () => ledger.of(() => true).map(({ key }) => key),
  };
}

test('sessions are remembered in a bounded number and in bounded memory, those told of last', () => {
  const { clock, report, keys } = start();
  report(...['a', 'b', 'c', 'd', 'e', 'f'].map((key) => state(key)));
  assert.deepEqual(keys(), ['b', 'c', 'd', 'e', 'f']);
  report(state('b', 40 * 1024 * 1024));
  report(state('g', 40 * 1024 * 1024));
  assert.deepEqual(keys(), ['g'], 'what was told before had to go');
  report(state('g', 10), state('h', 10));
  report(state('i', 60 * 1024 * 1024));
  assert.deepEqual(keys(), ['g', 'h', 'i'], 'what was told anew is not counted twice');
  clock.now = 1_500;
  report();
  assert.deepEqual(keys(), []);
});

test('a new limit of sessions holds from the next report on', () => {
  const { settings, report, keys } = start();
  report(state('a'), state('b'), state('c'));
  settings.maxSessions = 1;
  report(state('d'));
  assert.deepEqual(keys(), ['d']);
});

test('a worker gets the sessions of its channels', () => {
  const { ledger, report } = start();
  report(state('a'), state('b'));
  assert.deepEqual(
    ledger.of((channel) => channel === 'channel of b').map(({ key }) => key),
    ['b'],
  );
});
