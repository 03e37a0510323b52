import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../src/metrics.js';

test('a counter that an alert looks at is there, at 0, before anything is counted', async () => {
  const { registry } = createMetrics({ process: false });
  const text = await registry.metrics();
  for (const series of [
    'weir_worker_exits_total{cause="crash"} 0',
    'weir_ejections_total{cause="connect_error"} 0',
    'weir_registry_unknown_values_total{field="load",reason="above_one"} 0',
    'weir_settings_refused 0',
  ]) {
    assert.ok(text.split('\n').includes(series), series);
  }
});
