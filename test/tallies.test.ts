import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { Buckets, createGrid, gridSamples, registerTally } from '../src/tallies.js';
import { statusClass } from '../src/traffic-metrics.js';

const bounds = [0.1, 0.5, 1, 10];
const values = [0, 0.1, 0.1000001, 0.3, 0.5, 0.9, 1, 1.5, 10, 11, 1e9];

test('buckets are rendered as the library renders a histogram of the same values', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const buckets = new Buckets(bounds);
  registerTally(ours, { name: 'seconds', help: 'Some.', type: 'histogram' }, () =>
    buckets.samples('seconds', { protocol: 'hls' }),
  );
  const histogram = new Histogram({
    name: 'seconds',
    help: 'Some.',
    labelNames: ['protocol'],
    buckets: bounds,
    registers: [theirs],
  });
  for (const value of values) {
    buckets.observe(value);
    histogram.observe({ protocol: 'hls' }, value);
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});

test('a histogram with labels is not there before its first value, one without labels is there at 0', () => {
  const buckets = new Buckets(bounds);
  assert.deepEqual(buckets.samples('seconds', { protocol: 'hls' }), []);
  assert.equal(buckets.samples('seconds').length, bounds.length + 3);
});

test('a grid is rendered as a counter with two labels; what was never counted is left out', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const grid = createGrid(['hls', 'flv'], ['2xx', '4xx']);
  registerTally(ours, { name: 'requests_total', help: 'Some.', type: 'counter' }, () =>
    gridSamples(['protocol', 'status'], grid),
  );
  const labelNames = ['protocol', 'status'];
  const counter = new Counter({ name: 'requests_total', help: 'Some.', labelNames, registers: [theirs] });
  grid.hls['2xx'] += 3;
  counter.inc({ protocol: 'hls', status: '2xx' }, 3);
  grid.flv['4xx'] += 1;
  counter.inc({ protocol: 'flv', status: '4xx' });
  assert.equal(await ours.metrics(), await theirs.metrics());
});

test('tallies of several processes are added up', async () => {
  const reports = await Promise.all(
    [2, 3].map(async (count) => {
      const registry = new Registry();
      registerTally(registry, { name: 'connections', help: 'Some.', type: 'gauge' }, () => [
        { value: count, labels: {} },
      ]);
      return await registry.getMetricsAsJSON();
    }),
  );
  assert.match(await AggregatorRegistry.aggregate(reports).metrics(), /^connections 5$/m);
});

test('a status has its class', () => {
  assert.deepEqual([100, 101, 200, 304, 416, 499, 503].map(statusClass), [
    '1xx',
    '1xx',
    '2xx',
    '3xx',
    '4xx',
    '4xx',
    '5xx',
  ]);
});
