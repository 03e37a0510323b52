import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { ChannelName, ServiceAddress } from '../../src/model.js';
import { EmbeddedRegistry } from '../../src/registry/embedded.js';
import { RecordingSink } from '../support/recording-sink.js';

const news = 'news' as ChannelName;
const info = (load?: number) => ({
  address: 'o:80' as ServiceAddress,
  load,
  bitrate: undefined,
  packetLoss: undefined,
});

function running(settings = { maxTtl: 60_000, maxEndpoints: 100, maxEndpointsPerChannel: 100 }) {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  let time = 0;
  const registry = new EmbeddedRegistry(settings, () => time);
  const sink = new RecordingSink();
  const stop = new AbortController();
  const done = registry.run(sink, stop.signal);
  const pass = (ms: number) => {
    time += ms;
    mock.timers.tick(ms);
  };
  const end = async () => {
    stop.abort();
    await done;
    mock.timers.reset();
  };
  return { registry, sink, pass, end };
}

test('a lease that is not renewed expires on time, a renewed one stays', async () => {
  const { registry, sink, pass, end } = running();
  registry.put(news, 'a', info(), 1_000);
  registry.put(news, 'b', info(), 2_000);
  pass(900);
  registry.put(news, 'a', info(), 1_000);
  pass(999);
  assert.equal(sink.endpoints.size, 2);
  pass(1);
  assert.deepEqual(
    registry.list().map(({ name }) => name),
    ['b'],
  );
  assert.equal(sink.endpoints.size, 1);
  pass(100);
  assert.equal(sink.endpoints.size, 0);
  await end();
});

test('every renewal is a report of its own: same id, higher version', async () => {
  const { registry, sink, end } = running();
  assert.deepEqual(registry.put(news, 'a', info(0.5), 1_000), { kind: 'created', ttlMs: 1_000 });
  const [first] = sink.of('news');
  assert.deepEqual(registry.put(news, 'a', info(0.5), 1_000), { kind: 'renewed', ttlMs: 1_000 });
  const [second] = sink.of('news');
  assert.ok(first && second);
  assert.equal(second.id, first.id);
  assert.ok(second.version > first.version);
  assert.deepEqual(sink.sequence, ['replace', 'live', 'put', 'put']);
  await end();
});

test('a lease made again after its end is another endpoint, also in another registry', async () => {
  const { registry, sink, end } = running();
  const ids = new Set<string>();
  for (let i = 0; i < 3; i++) {
    registry.put(news, 'a', info(), 1_000);
    for (const { id } of sink.endpoints.values()) ids.add(id);
    assert.ok(registry.delete(news, 'a'));
  }
  const other = new EmbeddedRegistry({ maxTtl: 60_000, maxEndpoints: 1, maxEndpointsPerChannel: 100 });
  other.put(news, 'a', info(), 1_000);
  for (const { endpoint } of other.list()) ids.add(endpoint.id);
  assert.equal(ids.size, 4);
  assert.equal(registry.delete(news, 'a'), false);
  await end();
});

test('a channel that has as many endpoints as one may have leaves room for the others', async () => {
  const { registry, end } = running({ maxTtl: 5_000, maxEndpoints: 100, maxEndpointsPerChannel: 2 });
  registry.put(news, 'a', info(), 1_000);
  registry.put(news, 'b', info(), 1_000);
  assert.deepEqual(registry.put(news, 'c', info(), 1_000), { kind: 'full', by: 'registry.maxEndpointsPerChannel' });
  assert.equal(registry.put(news, 'b', info(), 1_000).kind, 'renewed');
  assert.equal(registry.put('sport' as ChannelName, 'a', info(), 1_000).kind, 'created');
  registry.delete(news, 'a');
  assert.equal(registry.put(news, 'c', info(), 1_000).kind, 'created');
  await end();
});

test('a longer lease than allowed is cut, and a further endpoint than allowed is refused', async () => {
  const { registry, sink, pass, end } = running({ maxTtl: 5_000, maxEndpoints: 2, maxEndpointsPerChannel: 100 });
  assert.deepEqual(registry.put(news, 'a', info(), 3_600_000), { kind: 'created', ttlMs: 5_000 });
  registry.put(news, 'b', info(), 1_000);
  assert.deepEqual(registry.put(news, 'c', info(), 1_000), { kind: 'full', by: 'registry.embedded.maxEndpoints' });
  assert.equal(registry.put(news, 'a', info(), 5_000).kind, 'renewed');
  pass(1_000);
  assert.equal(registry.put(news, 'c', info(), 1_000).kind, 'created');
  pass(5_000);
  assert.equal(sink.endpoints.size, 0);
  await end();
});

test('leases end on time while nobody listens, and no timer runs for them', () => {
  let time = 0;
  const registry = new EmbeddedRegistry({ maxTtl: 60_000, maxEndpoints: 10, maxEndpointsPerChannel: 100 }, () => time);
  registry.put(news, 'a', info(), 1_000);
  assert.equal(registry.list().length, 1);
  time = 1_000;
  assert.equal(registry.list().length, 0);
});

test('a lease longer than the longest timer ends on time', async () => {
  const { registry, sink, pass, end } = running({ maxTtl: 300_000, maxEndpoints: 10, maxEndpointsPerChannel: 100 });
  registry.put(news, 'a', info(), 250_000);
  for (let i = 0; i < 249; i++) pass(1_000);
  assert.equal(sink.endpoints.size, 1);
  pass(1_000);
  assert.equal(sink.endpoints.size, 0);
  await end();
});

test('a lease that is off is held and is no endpoint until it is live again', async () => {
  const { registry, sink, end } = running();
  registry.put(news, 'a', { ...info(0.5), traits: { weight: 2, draining: true } }, 1_000);
  const [first] = sink.of('news');
  assert.deepEqual([first?.weight, first?.draining], [2, true]);
  registry.put(news, 'a', { ...info(0.5), eligible: false }, 1_000);
  assert.deepEqual([sink.endpoints.size, registry.list().length], [0, 1]);
  registry.put(news, 'a', info(0.5), 1_000);
  assert.equal(sink.of('news')[0]?.id, first?.id);
  assert.equal(sink.of('news')[0]?.weight, undefined);
  await end();
});
