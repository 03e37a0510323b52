import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type Logger, silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import { RegistryNotes } from '../../src/registry/notes.js';
import { metricValue } from '../support/data-plane.js';

function noting() {
  const lines: { readonly fields: Record<string, unknown>; readonly message: string }[] = [];
  const keep = (fields: Record<string, unknown>, message: string) => void lines.push({ fields, message });
  const logger = Object.create(silentLogger, { warn: { value: keep }, error: { value: keep } }) as Logger;
  const metrics = createMetrics({ process: false });
  return { lines, metrics, notes: new RegistryNotes(logger, metrics) };
}

test('100,000 registrations that cannot be read are all counted, and a few of them logged', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, metrics, notes } = noting();
  for (let i = 0; i < 100_000; i++) notes.take({ kind: 'skipped', reason: 'bad_json', path: `/channels/c/${i}` });
  assert.equal(lines.length, 20);
  assert.deepEqual(lines[0], {
    fields: { reason: 'bad_json', path: '/channels/c/0' },
    message: 'registration skipped',
  });
  mock.timers.tick(10_000);
  assert.deepEqual(lines[20], { fields: { further: 99_980 }, message: 'registration skipped, and so were more' });
  notes.take({ kind: 'skipped', reason: 'bad_json', path: '/channels/c/x' });
  assert.equal(lines.length, 22);
  notes.close();
  assert.equal(lines.length, 22);
  mock.timers.reset();
  assert.equal(await metricValue(metrics, 'weir_registry_skipped_nodes_total'), 100_001);
});

test('what cannot be used now is a gauge, and what is mended is no longer in it', async () => {
  const { metrics, notes } = noting();
  notes.take({ kind: 'census', skipped: { bad_json: 2, too_many: 5 }, unknown: { 'load above_one': 3 } });
  notes.take({ kind: 'census', skipped: { bad_json: 1 }, unknown: {} });
  assert.equal(await metricValue(metrics, 'weir_registry_unreadable_nodes', { reason: 'bad_json' }), 1);
  assert.equal(await metricValue(metrics, 'weir_registry_unreadable_nodes'), 1);
  assert.equal(await metricValue(metrics, 'weir_registry_unknown_values'), 0);
  notes.close();
});

test('sessions that are missing are told with the reason, until all are open', async () => {
  const { metrics, notes } = noting();
  assert.equal(notes.sessions, undefined);
  notes.take({ kind: 'sessions', open: 1, wanted: 3 });
  notes.take({ kind: 'unreached', why: 'zk1 closes connections at once' });
  notes.take({ kind: 'sessions', open: 2, wanted: 3 });
  assert.deepEqual(notes.sessions, { open: 2, wanted: 3, why: 'zk1 closes connections at once' });
  assert.equal(await metricValue(metrics, 'weir_registry_sessions', { state: 'open' }), 2);
  assert.equal(await metricValue(metrics, 'weir_registry_sessions', { state: 'wanted' }), 3);
  notes.take({ kind: 'sessions', open: 3, wanted: 3 });
  assert.deepEqual(notes.sessions, { open: 3, wanted: 3, why: undefined });
  notes.close();
});
