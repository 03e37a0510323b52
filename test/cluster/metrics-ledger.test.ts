import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MetricsLedger, readCounters, readMetrics } from '../../src/cluster/metrics-ledger.js';

function processMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    requests: new Counter({ name: 'weir_requests_total', help: 'r', labelNames: ['protocol'], registers }),
    seconds: new Histogram({ name: 'weir_seconds', help: 's', buckets: [1, 10], registers }),
    open: new Gauge({ name: 'weir_open', help: 'o', registers, aggregator: 'sum' }),
    delay: new Gauge({ name: 'weir_delay', help: 'd', registers, aggregator: 'max' }),
    start: new Gauge({ name: 'process_start_time_seconds', help: 'p', registers, aggregator: 'omit' }),
  };
}
const lines = async (ledger: MetricsLedger, own: ReturnType<typeof processMetrics>) => {
  const { text } = await ledger.render(await readMetrics(own.registry));
  return new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
};

test('counters and histograms are added up, gauges as each one says, the start is the supervisor’s', async () => {
  const ledger = new MetricsLedger();
  const own = processMetrics();
  own.start.set(7);
  for (const [id, factor] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const worker = processMetrics();
    worker.requests.inc({ protocol: 'hls' }, 10 * factor);
    worker.requests.inc({ protocol: `only-${id}` });
    worker.seconds.observe(0.5 * factor);
    worker.seconds.observe(5);
    worker.open.set(3 * factor);
    worker.delay.set(factor);
    worker.start.set(100);
    ledger.report(id, await readMetrics(worker.registry));
  }
  const seen = await lines(ledger, own);
  for (const line of [
    'weir_requests_total{protocol="hls"} 30',
    'weir_requests_total{protocol="only-1"} 1',
    'weir_seconds_bucket{le="1"} 2',
    'weir_seconds_bucket{le="+Inf"} 4',
    'weir_seconds_sum 11.5',
    'weir_seconds_count 4',
    'weir_open 9',
    'weir_delay 2',
    'process_start_time_seconds 7',
  ])
    assert.ok(seen.has(line), `${line} in ${[...seen].join('\n')}`);
});

test('what a worker counted stays when it is gone; what it was, does not', async () => {
  const ledger = new MetricsLedger();
  const own = processMetrics();
  for (let id = 1; id <= 3; id += 1) {
    const worker = processMetrics();
    worker.requests.inc({ protocol: 'hls' }, 5);
    worker.seconds.observe(2);
    worker.open.set(4);
    ledger.report(id, await readCounters(worker.registry));
    await ledger.retire(id);
  }
  const seen = await lines(ledger, own);
  assert.ok(seen.has('weir_requests_total{protocol="hls"} 15'));
  assert.ok(seen.has('weir_seconds_count 3'));
  assert.ok(seen.has('weir_open 0'));
});

test('a total never goes down while workers are replaced under a scrape', async () => {
  const ledger = new MetricsLedger();
  const own = processMetrics();
  let last = 0;
  for (let id = 1; id <= 20; id += 1) {
    const worker = processMetrics();
    worker.requests.inc({ protocol: 'hls' }, id);
    ledger.report(id, await readMetrics(worker.registry));
    const retired = ledger.retire(id);
    for (const seen of await Promise.all([lines(ledger, own), lines(ledger, own)])) {
      const line = [...seen].find((one) => one.startsWith('weir_requests_total')) ?? '';
      const total = Number(line.split(' ')[1]);
      assert.equal(total, (id * (id + 1)) / 2);
      assert.ok(total >= last);
      last = total;
    }
    await retired;
  }
});

test('a worker that never reported leaves nothing behind', async () => {
  const ledger = new MetricsLedger();
  await ledger.retire(1);
  assert.ok((await lines(ledger, processMetrics())).has('weir_open 0'));
});
