// One contract, held by both registries.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { configSchema } from '../../src/config-schema.js';
import { silentLogger } from '../../src/log.js';
import type { ChannelName, ServiceAddress } from '../../src/model.js';
import { createRegistry } from '../../src/registry/create.js';
import { EmbeddedRegistry } from '../../src/registry/embedded.js';
import { encodeChannelInfo } from '../../src/registry/formats/channel-info.js';
import type { Registry } from '../../src/registry/registry.js';
import { RecordingSink } from '../support/recording-sink.js';
import { waitFor } from '../support/wait.js';
import { useZooKeeper, zkCli } from '../support/zookeeper.js';

interface Values {
  readonly load?: number;
  readonly bitrate?: number;
  readonly packetLoss?: number;
}

/** A registry and those who write into it. */
interface Harness {
  readonly registry: Registry;
  /** A channel of this name is there and empty. */
  prepare(channel: string): Promise<void>;
  register(channel: string, name: string, address: string, values?: Values): Promise<void>;
  report(channel: string, name: string, address: string, values?: Values): Promise<void>;
  remove(channel: string, name: string): Promise<void>;
  stop(): Promise<void>;
}

async function zooKeeperHarness(): Promise<Harness> {
  const server = await useZooKeeper();
  const root = `/contract-${process.pid}`;
  const settings = configSchema.parse({ registry: { zookeeper: { servers: server.address, root } } }).registry;
  const node = (...parts: string[]) => [root, ...parts].join('/');
  const info = (address: string, { load, bitrate, packetLoss }: Values = {}) =>
    encodeChannelInfo(address, { load, bitrate, packetLoss });
  return {
    registry: createRegistry(settings, silentLogger),
    prepare: async (channel) => void (await zkCli(server.address, `create ${root}`, `create ${node(channel)}`)),
    register: async (channel, name, address, values) =>
      void (await zkCli(server.address, `create ${node(channel, name)} ${info(address, values)}`)),
    report: async (channel, name, address, values) =>
      void (await zkCli(server.address, `set ${node(channel, name)} ${info(address, values)}`)),
    remove: async (channel, name) => void (await zkCli(server.address, `delete ${node(channel, name)}`)),
    stop: async () => {
      await zkCli(server.address, `deleteall ${root}`);
      await server.stop();
    },
  };
}

async function embeddedHarness(): Promise<Harness> {
  const registry = new EmbeddedRegistry({ maxTtl: 300_000, maxEndpoints: 100, maxEndpointsPerChannel: 100 });
  const put = async (channel: string, name: string, address: string, values: Values = {}) => {
    const { load, bitrate, packetLoss } = values;
    const info = { address: address as ServiceAddress, load, bitrate, packetLoss };
    registry.put(channel as ChannelName, name, info, 300_000);
  };
  return {
    registry,
    prepare: async () => {},
    register: put,
    report: put,
    remove: async (channel, name) => void registry.delete(channel as ChannelName, name),
    stop: async () => {},
  };
}

/** Runs the registry into a sink while `body` runs; both have ended when this resolves. */
async function whileRunning(registry: Registry, body: (sink: RecordingSink) => Promise<void>): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const stop = new AbortController();
  const running = registry.run(sink, stop.signal);
  try {
    await body(sink);
  } finally {
    stop.abort();
    await running;
  }
  return sink;
}

for (const [name, start] of Object.entries({ zookeeper: zooKeeperHarness, embedded: embeddedHarness })) {
  describe(`the ${name} registry`, () => {
    let harness: Harness;
    before(async () => {
      harness = await start();
    });
    after(() => harness.stop());

    test('begins with a complete picture and only then is live', async () => {
      await harness.prepare('first');
      await harness.register('first', 'a', '127.0.0.1:1', { load: 0.5, bitrate: 1200, packetLoss: 0.25 });
      await harness.register('first', 'b', '127.0.0.1:2');
      const sink = await whileRunning(harness.registry, async (sink) => {
        await waitFor(() => sink.state === 'live');
      });
      assert.deepEqual(sink.sequence, ['replace', 'live']);
      assert.deepEqual(
        sink.of('first').map(({ address, load, bitrate, packetLoss }) => [address, load, bitrate, packetLoss]),
        [
          ['127.0.0.1:1', 0.5, 1200, 0.25],
          ['127.0.0.1:2', undefined, undefined, undefined],
        ],
      );
    });

    test('tells of a new endpoint, each report of it and its end, with the time each became known', async () => {
      await harness.prepare('life');
      const sink = await whileRunning(harness.registry, async (sink) => {
        await waitFor(() => sink.state === 'live');
        const before = Date.now();
        await harness.register('life', 'a', '127.0.0.1:1', { load: 0.5 });
        const made = await waitFor(() => sink.of('life')[0]);
        await harness.report('life', 'a', '127.0.0.1:1', { load: 0.75 });
        const changed = await waitFor(() => sink.of('life').find(({ load }) => load === 0.75));
        assert.equal(changed.id, made.id);
        assert.ok(changed.version > made.version);
        await harness.report('life', 'a', '127.0.0.1:1', { load: 0.75 });
        await waitFor(() => sink.of('life').find(({ version }) => version > changed.version));
        await harness.remove('life', 'a');
        await waitFor(() => sink.of('life').length === 0);
        for (const told of sink.told.slice(2)) {
          assert.ok('seenAt' in told && told.seenAt !== undefined);
          assert.ok(told.seenAt >= before - 5 && told.seenAt <= Date.now() + 5);
        }
      });
      assert.deepEqual(sink.sequence, ['replace', 'live', 'put', 'put', 'put', 'drop']);
    });

    test('an endpoint that is made again has another id', async () => {
      await harness.prepare('again');
      await harness.register('again', 'a', '127.0.0.1:1');
      await whileRunning(harness.registry, async (sink) => {
        const first = await waitFor(() => sink.of('again')[0]);
        await harness.remove('again', 'a');
        await harness.register('again', 'a', '127.0.0.1:1');
        const second = await waitFor(() => sink.of('again').find(({ id }) => id !== first.id));
        assert.deepEqual(
          sink.of('again').map(({ id }) => id),
          [second.id],
        );
      });
    });

    test('a report may change the address, and the endpoint stays the same', async () => {
      await harness.prepare('moved');
      await harness.register('moved', 'a', '127.0.0.1:1');
      await whileRunning(harness.registry, async (sink) => {
        const before = await waitFor(() => sink.of('moved')[0]);
        await harness.report('moved', 'a', '127.0.0.1:2');
        const moved = await waitFor(() => sink.of('moved').find(({ address }) => address === '127.0.0.1:2'));
        assert.equal(moved.id, before.id);
      });
    });

    test('nothing is told after the signal, and another run begins anew', async () => {
      await harness.prepare('twice');
      await harness.register('twice', 'a', '127.0.0.1:1');
      const first = await whileRunning(harness.registry, async (sink) => {
        await waitFor(() => sink.state === 'live');
      });
      const { length } = first.told;
      await harness.remove('twice', 'a');
      const second = await whileRunning(harness.registry, async (sink) => {
        await waitFor(() => sink.state === 'live');
      });
      assert.equal(first.told.length, length);
      assert.deepEqual(second.sequence, ['replace', 'live']);
      assert.deepEqual(second.of('twice'), []);
    });

    test('a signal that is already aborted starts nothing', async () => {
      const sink = new RecordingSink();
      await harness.registry.run(sink, AbortSignal.abort());
      assert.deepEqual(sink.told, []);
    });
  });
}
