// The guard of a program: how long it lets it run.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Guard, type Program, type ProgramEvents } from '../../src/fleet/guard.js';
import type { GuardReply } from '../../src/fleet/guard-messages.js';

let now = 0;
let guard: Guard;
let told: GuardReply[];
let signals: string[];
/** Something of the program's group is there. */
let isThere = false;
let events: ProgramEvents | undefined;

const program: Program = {
  signal(name) {
    if (name !== 0) signals.push(`${name} ${now}`);
    return isThere;
  },
};

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
  told = [];
  signals = [];
  isThere = true;
  events = undefined;
  guard = new Guard({
    start: (_, given) => {
      events = given;
      given.started(7);
      return program;
    },
    tell: (reply) => told.push(reply),
    now: () => now,
  });
});
afterEach(() => mock.timers.reset());

function pass(milliseconds: number): void {
  for (let i = 0; i < milliseconds; i += 10) {
    now += 10;
    mock.timers.tick(10);
  }
}

const run = (until = 4_000, killAt = 5_000) =>
  guard.receive({ kind: 'run', command: 'x', parameters: [], variables: {}, leave: { until, killAt } });

test('a program whose leave is extended runs on, and its end is told', () => {
  run();
  for (let i = 1; i <= 20; i++) {
    pass(500);
    guard.receive({ kind: 'extend', leave: { until: now + 4_000, killAt: now + 5_000 } });
  }
  assert.deepEqual(signals, []);
  guard.receive({ kind: 'signal', signal: 'SIGHUP' });
  assert.deepEqual(signals, ['SIGHUP 10000']);
  events?.ended(3, null);
  assert.deepEqual(told, [
    { kind: 'started', pid: 7 },
    { kind: 'ended', code: 3, signal: null },
  ]);
  assert.equal(guard.isBusy, false);
});

test('without an extension it is asked to end, then killed, and no extension helps any more', () => {
  run();
  pass(4_000);
  assert.deepEqual(signals, ['SIGTERM 4000', 'SIGCONT 4000']);
  guard.receive({ kind: 'extend', leave: { until: 90_000, killAt: 91_000 } });
  pass(1_000);
  assert.ok(signals.includes('SIGKILL 5000'), signals.join());
  isThere = false;
  events?.ended(null, 'SIGKILL');
  assert.deepEqual(told.at(-1), { kind: 'ended', code: null, signal: 'SIGKILL' });
});

test('what is left of its group is killed too, before its end is told', () => {
  run();
  guard.receive({ kind: 'stop', killAt: 1_000 });
  events?.ended(0, null);
  pass(500);
  assert.equal(told.length, 1);
  pass(500);
  assert.ok(signals.includes('SIGKILL 1000'), signals.join());
  isThere = false;
  pass(100);
  assert.deepEqual(told.at(-1), { kind: 'ended', code: 0, signal: null });
});

test('when its owner is gone, it is not waited for until the leave ends', () => {
  run(60_000, 70_000);
  guard.orphan();
  assert.equal(signals[0], 'SIGTERM 0');
  pass(500);
  assert.ok(signals.includes('SIGKILL 500'), signals.join());
});

test('a program that is asked for too late is not started', () => {
  now = 5_000;
  run();
  assert.deepEqual(told, [{ kind: 'ended', code: null, signal: 'SIGKILL' }]);
  guard.orphan();
  run(90_000, 91_000);
  assert.equal(told.length, 2);
  assert.equal(events, undefined);
});
