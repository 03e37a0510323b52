// Leases outlive the process that granted them, for as long as they are in time.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { ChannelName, ServiceAddress } from '../../src/model.js';
import { EmbeddedRegistry, type LeaseInfo } from '../../src/registry/embedded.js';
import { KeptLeases } from '../../src/registry/kept-leases.js';
import { RecordingSink } from '../support/recording-sink.js';
import { waitFor } from '../support/wait.js';

const news = 'news' as ChannelName;
let folder: string;
let path: string;
/** Epoch ms. */
let wall: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-kept-leases-'));
  path = join(folder, 'leases.json');
  wall = Date.UTC(2026, 0, 1);
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => {
  mock.timers.reset();
  rmSync(folder, { recursive: true, force: true });
});

const info = (address: string, more: Partial<LeaseInfo> = {}): LeaseInfo => ({
  address: address as ServiceAddress,
  load: undefined,
  bitrate: undefined,
  packetLoss: undefined,
  ...more,
});

/** One run of the edge; its monotonic clock begins anew. */
function start(limits = { maxEndpoints: 100, maxEndpointsPerChannel: 100 }) {
  const began = wall;
  const now = () => wall - began;
  const registry = new EmbeddedRegistry({ maxTtl: 60_000, ...limits }, now);
  const errors: string[] = [];
  const logger = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object) => void errors.push((fields as { reason: string }).reason),
  };
  const sink = new RecordingSink();
  const stop = new AbortController();
  const done = new KeptLeases(registry, path, logger, () => ({ monotonic: now(), wall })).run(sink, stop.signal);
  const end = async () => {
    stop.abort();
    await done;
  };
  return { registry, sink, errors, end };
}

test('leases are there after a restart with all they said, until their time is over', async () => {
  const first = start();
  const traits = { zone: 'north', weight: 0.5, draining: true } as const;
  first.registry.put(news, 'a', info('10.0.0.1:80', { load: 0.2, packetLoss: 0.01, bitrate: 900, traits }), 10_000);
  first.registry.put(news, 'b', info('10.0.0.2:80'), 30_000);
  first.registry.put(news, 'off', info('10.0.0.3:80', { eligible: false }), 30_000);
  first.registry.drain(news, 'b', true);
  await first.end();
  wall += 5_000;
  const second = start();
  assert.equal(second.sink.sequence[0], 'replace');
  const { id, version, ...a } = second.sink.of('news')[0] ?? assert.fail('no lease');
  const values = { load: 0.2, packetLoss: 0.01, bitrate: 900 };
  assert.deepEqual(a, { channel: news, address: '10.0.0.1:80', ...values, ...traits });
  assert.equal(second.sink.of('news')[1]?.draining, true);
  assert.equal(second.registry.drain(news, 'b', false), true);
  assert.equal(second.sink.of('news')[1]?.draining, undefined, 'it was drained by somebody else, and not by its owner');
  assert.deepEqual(second.sink.addresses('news'), ['10.0.0.1:80', '10.0.0.2:80']);
  assert.deepEqual(
    second.registry.list().map(({ name, expiresAt }) => [name, expiresAt]),
    [
      ['a', 5_000],
      ['b', 25_000],
      ['off', 25_000],
    ],
  );
  await second.end();
  wall += 5_000;
  const third = start();
  assert.deepEqual(third.sink.addresses('news'), ['10.0.0.2:80']);
  await third.end();
});

test('a change is written soon, without an end in order; only its owner may read the file', async () => {
  const { registry, end } = start();
  registry.put(news, 'a', info('10.0.0.1:80'), 10_000);
  wall += 1_000;
  mock.timers.tick(1_000);
  mock.timers.reset();
  await waitFor(() => existsSync(path), { what: 'the file' });
  assert.match(readFileSync(path, 'utf8'), /10\.0\.0\.1:80/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await end();
});

test('a clock that was set back gives no lease more time than is granted', async () => {
  const first = start();
  first.registry.put(news, 'a', info('10.0.0.1:80'), 30_000);
  await first.end();
  wall -= 3_600_000;
  const second = start();
  assert.equal(second.registry.list()[0]?.expiresAt, 60_000);
  await second.end();
});

test('no more leases are taken over than may be held', async () => {
  const first = start();
  for (const name of ['a', 'b', 'c']) first.registry.put(news, name, info('10.0.0.1:80'), 30_000);
  await first.end();
  const second = start({ maxEndpoints: 2, maxEndpointsPerChannel: 100 });
  assert.equal(second.registry.list().length, 2);
  await second.end();
});

test('a file that is not ours, or that others may write, is ignored and replaced', async () => {
  const rows: [string, number, RegExp][] = [
    ['{', 0o600, /JSON/],
    ['{"version":9,"leases":[]}', 0o600, /version/],
    ['{"version":1,"leases":[]}', 0o666, /others than its owner may write it/],
  ];
  for (const [text, mode, expected] of rows) {
    writeFileSync(path, text);
    chmodSync(path, mode);
    const { sink, errors, end } = start();
    assert.match(errors.join(), expected);
    assert.equal(sink.state, 'live');
    await end();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
});

test('what does not hold in a file is left out', async () => {
  const until = new Date(wall + 30_000).toISOString();
  const lease = {
    channel: 'news',
    name: 'a',
    address: '10.0.0.1:80',
    eligible: true,
    isDrained: false,
    expiresAt: until,
  };
  const leases = [
    { ...lease, load: 7, weight: -1, zone: 5 },
    { ...lease, name: 'b', address: 'nonsense' },
    { ...lease, name: 'c/d' },
    { ...lease, name: 'e', channel: '..' },
  ];
  writeFileSync(path, JSON.stringify({ version: 1, leases }), { mode: 0o600 });
  const { sink, end } = start();
  assert.deepEqual(sink.addresses('news'), ['10.0.0.1:80']);
  const { load, weight, zone } = sink.of('news')[0] ?? assert.fail('no lease');
  assert.deepEqual([load, weight, zone], [undefined, undefined, undefined]);
  await end();
});

test('a file that cannot be written is told once', async () => {
  path = join(folder, 'missing', 'leases.json');
  const { registry, errors, end } = start();
  registry.put(news, 'a', info('10.0.0.1:80'), 10_000);
  wall += 1_000;
  mock.timers.tick(1_000);
  await end();
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /ENOENT/);
});
