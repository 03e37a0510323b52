import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteRate } from '../../src/cluster/byte-rate.js';
import { FleetLedger } from '../../src/cluster/fleet-ledger.js';
import type { SupervisorMessage } from '../../src/cluster/messages.js';
import type { WorkerState } from '../../src/cluster/worker-parts.js';

function worker(state: WorkerState, open: number, bytesPerSecond: number) {
  const sent: SupervisorMessage[] = [];
  return {
    state,
    intake: { open, accepting: true },
    bytesPerSecond,
    sent,
    send: (m: SupervisorMessage) => sent.push(m) > 0,
  };
}

test('every worker hears what the fleet says, one that missed it too', () => {
  const all = [worker('serving', 0, 0), worker('draining', 0, 0)];
  const ledger = new FleetLedger({ serving: () => all.slice(0, 1), all: () => all });
  const orders = { edges: 7, leaveWithinMs: 3_000 };
  ledger.set(orders);
  for (const { sent } of all) assert.deepEqual(sent, [{ kind: 'fleet', orders }]);
  const late = worker('serving', 0, 0);
  ledger.resend(late);
  assert.deepEqual(late.sent, [{ kind: 'fleet', orders }]);
});

test('players of workers that drain count, those of workers that are gone do not', () => {
  const all = [worker('serving', 3, 100), worker('draining', 2, 50), worker('gone', 9, 900)];
  const ledger = new FleetLedger({ serving: () => all.slice(0, 1), all: () => all });
  assert.deepEqual(ledger.vitals(), { workers: 1, viewers: 5, bytesPerSecond: 150 });
});

test('a rate is what was sent since it was read last', () => {
  let [bytes, now] = [500, 0];
  const rate = new ByteRate(
    () => bytes,
    () => now,
  );
  now = 500;
  bytes = 1_500;
  assert.equal(rate.read(), 2_000);
  assert.equal(rate.read(), 0);
  now = 1_000;
  assert.equal(rate.read(), 0);
});
