// What the control plane makes of a registry, without the rest of the edge.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ControlPlane, createControlPlane } from '../src/control-plane.js';
import { OperatorError } from '../src/errors.js';
import { type Logger, silentLogger } from '../src/log.js';
import { createMetrics } from '../src/metrics.js';
import type { Registry, RegistrySink } from '../src/registry/registry.js';
import { endpoint, metricValue, testConfig } from './support/data-plane.js';

/** A registry that the test tells what to say. */
class FakeRegistry implements Registry {
  known: boolean | undefined;
  sink: RegistrySink | undefined;

  constructor(private readonly error?: Error) {}

  async run(sink: RegistrySink, signal: AbortSignal, known?: boolean): Promise<void> {
    this.sink = sink;
    this.known = known;
    if (this.error !== undefined) throw this.error;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

async function running(t: TestContext, registry: Registry, snapshotFile: string) {
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const keep = (level: string) => ({
    value: (fields: object, message: string) => lines.push({ level, fields, message }),
  });
  const levels = { info: keep('info'), warn: keep('warn'), error: keep('error') };
  const metrics = createMetrics({ process: false });
  const plane: ControlPlane = createControlPlane({
    config: testConfig({ registry: { snapshotFile } }),
    logger: Object.create(silentLogger, levels) as Logger,
    metrics,
    registry,
    adminExtensions: [],
    published: () => undefined,
    probed: () => undefined,
    queries: {
      draining: () => false,
      accepting: () => true,
      explain: async () => ({}),
      views: {},
      metrics: async () => ({ type: 'text/plain', text: await metrics.registry.metrics() }),
    },
  });
  const { port } = await plane.start();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= plane.close();
    return closed;
  };
  t.after(close);
  /** The answer to /readyz: its status, the snapshot's state, and how the registry is reached. */
  const readiness = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    const { snapshot, registry } = (await answer.json()) as { snapshot: string; registry: string };
    return [answer.status, snapshot, registry];
  };
  const read = async (path: string) =>
    (await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as Record<string, unknown>;
  const scrape = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { plane, metrics, lines, readiness, read, scrape, close };
}

async function snapshotPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-control-plane-'));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, 'snapshot.json');
}

test('a registry that gives up for good is told, in the log, the metrics and the readiness', async (t) => {
  const path = await snapshotPath(t);
  const first = new FakeRegistry();
  const earlier = await running(t, first, path);
  assert.equal(first.known, false);
  first.sink?.replace([endpoint('news', '10.0.0.1:80')]);
  first.sink?.status('live');
  assert.deepEqual(await earlier.readiness(), [200, 'live', 'followed']);
  await earlier.close();

  const broken = new FakeRegistry(new OperatorError('the client is not installed'));
  const { plane, metrics, lines, readiness } = await running(t, broken, path);
  assert.equal(broken.known, true, 'it is told that something is known');
  await plane.ready();
  assert.deepEqual(await readiness(), [200, 'stale', 'given_up']);
  assert.equal(await metricValue(metrics, 'weir_registry_given_up'), 1);
  const [line] = lines.filter(({ level }) => level === 'error');
  assert.deepEqual(line?.fields, { reason: 'the client is not installed' });
});

test('sessions that the registry refuses are told by the API with the reason, and in the readiness without addresses', async (t) => {
  const registry = new FakeRegistry();
  const { read } = await running(t, registry, await snapshotPath(t));
  registry.sink?.note({ kind: 'sessions', open: 1, wanted: 3 });
  registry.sink?.note({ kind: 'unreached', why: '10.0.0.1:2181 closes connections at once' });
  assert.deepEqual(await read('/api/v1/registry'), {
    registry: 'awaited',
    sessions: { open: 1, wanted: 3, why: '10.0.0.1:2181 closes connections at once' },
  });
  assert.deepEqual((await read('/readyz'))['sessions'], { open: 1, wanted: 3 });
});

test('losing the registry is a warning that says what is served, and its return is told', async (t) => {
  const registry = new FakeRegistry();
  const { lines, readiness } = await running(t, registry, await snapshotPath(t));
  registry.sink?.replace([endpoint('news', '10.0.0.1:80')]);
  registry.sink?.status('live');
  registry.sink?.status('stale');
  assert.deepEqual(await readiness(), [200, 'stale', 'out_of_reach']);
  registry.sink?.status('live');
  assert.deepEqual(
    lines.map(({ level, message }) => `${level}: ${message}`),
    [
      'info: following the registry',
      'warn: the registry is out of reach: what it last said is served',
      'info: following the registry',
    ],
  );
});

test('last resorts outlive a restart, and so does the age of what is known', async (t) => {
  const path = await snapshotPath(t);
  const first = new FakeRegistry();
  const earlier = await running(t, first, path);
  const endpoints = Array.from({ length: 10 }, (_, i) => endpoint(`c${i}`, '10.0.0.1:80'));
  first.sink?.replace(endpoints);
  first.sink?.status('live');
  first.sink?.replace([]);
  await earlier.close();
  const text = await readFile(path, 'utf8');
  const monthAgo = new Date(Date.now() - 30 * 24 * 3_600_000).toISOString();
  await writeFile(path, JSON.stringify({ ...(JSON.parse(text) as object), savedAt: monthAgo }));

  const { plane, metrics, scrape } = await running(t, new FakeRegistry(), path);
  assert.equal(plane.snapshot().channels.size, 10);
  await scrape();
  assert.equal(await metricValue(metrics, 'weir_endpoints', { state: 'last_resort' }), 10);
  assert.ok((await metricValue(metrics, 'weir_snapshot_age_seconds')) > 29 * 24 * 3_600);
});
