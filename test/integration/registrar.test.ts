// Keeping an endpoint registered: in a real ZooKeeper, and in the embedded registry over its API.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { handleLeases } from '../../src/admin/leases.js';
import { Agent } from '../../src/agent/agent.js';
import { type ConfigInput, configSchema } from '../../src/config-schema.js';
import { silentLogger } from '../../src/log.js';
import {
  type EndpointInfo,
  openRegistrar,
  type RegisteredChannels,
  registerChannels,
} from '../../src/registrar/registrar.js';
import { EmbeddedRegistry } from '../../src/registry/embedded.js';
import { closedPort } from '../support/ports.js';
import { live, type RunningRegistry, runRegistry } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { startZooKeeper, zkCli } from '../support/zookeeper.js';

describe('in ZooKeeper', () => {
  async function start(t: TestContext, settings: { credentials?: string; sessionTimeout?: string } = {}) {
    const server = await startZooKeeper();
    t.after(() => server.stop());
    const running = runRegistry(t, { servers: server.address, root: '/weir/channels' });
    await live(running);
    const zookeeper = { servers: server.address, root: '/weir/channels', sessionTimeout: '4s', ...settings };
    const config = configSchema.parse({ registry: { zookeeper } });
    const register = async (
      info: EndpointInfo = { address: '127.0.0.1:80', load: 0.5 },
    ): Promise<RegisteredChannels> => {
      const registration = await registerChannels(config, ['news'], info, silentLogger, { prefix: 'origin-' });
      t.after(() => registration.close());
      return registration;
    };
    return { server, running, register };
  }

  const loads = ({ sink }: RunningRegistry) => sink.of('news').map(({ load }) => load);

  test('an endpoint appears under a sequential name, its parents are made, values change, and close removes it', async (t) => {
    const { server, running, register } = await start(t);
    const first = await register();
    assert.equal(first.paths[0], '/weir/channels/news/origin-0000000000');
    const second = await register({ address: '127.0.0.1:81' });
    await waitFor(() => running.sink.of('news').length === 2);
    assert.deepEqual(loads(running), [0.5, undefined]);
    for (let i = 1; i <= 100; i++) first.update({ load: i / 100, packetLoss: 0.1 });
    await waitFor(() => loads(running)[0] === 1);
    const [endpoint] = running.sink.of('news');
    assert.equal(endpoint?.packetLoss, 0.1);
    assert.throws(() => first.update({ load: 75 }), /load: expected a fraction from 0 to 1, not 75/);
    const stat = await zkCli(server.address, `stat ${first.paths[0]}`, 'get /weir/channels/news/origin-0000000000');
    assert.doesNotMatch(stat, /ephemeralOwner = 0x0$/m);
    assert.match(stat, /"service_address":"127.0.0.1:80","load":1,"packet_loss_rate":0.1/);
    await first.close();
    await first.close();
    await waitFor(() => running.sink.of('news').length === 1);
    await second.close();
    await waitFor(() => running.sink.of('news').length === 0);
  });

  test('servers with many streams write one node each interval, and every endpoint has the load', async (t) => {
    const { server, running } = await start(t);
    const [servers, streams, rounds] = [5, 20, 4];
    const zookeeper = { servers: server.address, root: '/weir/channels' };
    const config = configSchema.parse({ registry: { zookeeper } });
    const agents = await Promise.all(
      Array.from({ length: servers }, async (_, at) => {
        const report = { folder: '/servers', name: `s${at}` };
        const registrar = await openRegistrar(config, silentLogger, { report });
        const usage = { cpu: 0 };
        const around = { now: () => performance.now(), after: () => () => {}, usage: () => usage };
        const naming = { channel: '{stream}', address: `10.0.0.${at}:80`, host: '', apps: [] };
        const limits = { silenceMs: 1e6, reportIntervalMs: 1_000, maxStreams: 100, maxViewers: undefined };
        const agent = new Agent({ naming, ...limits, traits: {} }, registrar, around, silentLogger);
        t.after(() => agent.close());
        await waitFor(() => registrar.shared?.stands === true, { deadline: 60_000 });
        const look = (load: number) => {
          usage.cpu = load;
          const found = Array.from({ length: streams }, (_, n) => ({
            vhost: '',
            app: '',
            name: `c${n}`,
            bitrate: 1_000,
          }));
          agent.answered({ streams: found }, performance.now());
        };
        return { look };
      }),
    );
    const have = (load: number) => {
      const all = [...running.sink.endpoints.values()];
      return all.length === servers * streams && all.every((endpoint) => endpoint.load === load);
    };
    const deadline = 60_000;
    for (const { look } of agents) look(0.1);
    await waitFor(() => have(0.1), { deadline });
    const before = await server.zxid();
    for (let round = 2; round < 2 + rounds; round++) {
      for (const { look } of agents) look(round / 10);
      await waitFor(() => have(round / 10), { deadline });
    }
    assert.equal((await server.zxid()) - before, servers * rounds);
  });

  test('it survives a restart of the server in the same session, and what is reported meanwhile is not lost', async (t) => {
    // Given up after twice this time, in which a slow machine has to start Java.
    const { server, running, register } = await start(t, { sessionTimeout: '10s' });
    const registration = await register();
    await waitFor(() => running.sink.of('news').length === 1);
    const [before] = running.sink.of('news');
    await server.kill();
    registration.update({ load: 0.125 });
    await sleep(1_000);
    await server.restart();
    await waitFor(() => loads(running)[0] === 0.125, { deadline: 60_000 });
    assert.deepEqual(
      running.sink.of('news').map(({ id }) => id),
      [before?.id],
    );
  });

  test('it registers again when its session expired', async (t) => {
    const { server, running, register } = await start(t);
    const registration = await register();
    await waitFor(() => running.sink.of('news').length === 1);
    const [before] = running.sink.of('news');
    await server.kill();
    const elsewhere = await server.restartElsewhere();
    await waitFor(async () => (await zkCli(elsewhere, 'ls /weir/channels/news')).includes('\n[]'), {
      deadline: 60_000,
      what: 'the session to expire',
    });
    await server.kill();
    await server.restart();
    await waitFor(() => running.sink.of('news').some(({ id }) => id !== before?.id), { deadline: 60_000 });
    assert.equal(running.sink.of('news').length, 1);
    registration.update({ load: 0.25 });
    await waitFor(() => loads(running)[0] === 0.25);
  });

  test('it registers again when the node is deleted by somebody, or its data are lost with the server', async (t) => {
    const { server, running, register } = await start(t);
    const registration = await register();
    await zkCli(server.address, `delete ${registration.paths[0]}`);
    await waitFor(() => running.sink.of('news').some(({ id }) => id.includes('origin-0000000001')));
    await server.kill();
    server.wipe();
    await server.restart();
    await waitFor(
      () => running.sink.state === 'live' && running.sink.of('news').some(({ id }) => id.includes('origin-0000000000')),
      {
        deadline: 60_000,
      },
    );
    assert.equal(running.sink.of('news').length, 1);
  });

  test('with credentials only their owner may write to the node, and everybody may read it', async (t) => {
    const { server, running, register } = await start(t, { credentials: 'origin:secret' });
    const registration = await register();
    await waitFor(() => running.sink.of('news').length === 1);
    const output = await zkCli(server.address, `set ${registration.paths[0]} evil:80`);
    assert.match(output, /permission|NoAuth|not valid/i);
    registration.update({ load: 0.25 });
    await waitFor(() => loads(running)[0] === 0.25);
  });

  test('with credentials a stranger may neither delete an endpoint nor make one, in a channel or beside it', async (t) => {
    const { server, running, register } = await start(t, { credentials: 'origin:secret' });
    const first = await register();
    const second = await register({ address: '127.0.0.1:81' });
    await waitFor(() => running.sink.of('news').length === 2);
    const refused = async (command: string) =>
      assert.match(await zkCli(server.address, command), /permission|NoAuth|not valid|Insufficient/i, command);
    await refused(`delete ${first.paths[0]}`);
    await refused('create /weir/channels/news/forged 10.6.6.6:80');
    await refused('create /weir/channels/sport');
    await refused('setAcl /weir/channels/news world:anyone:cdrwa');
    assert.deepEqual(running.sink.addresses('news'), ['127.0.0.1:80', '127.0.0.1:81']);
    await first.close();
    await second.close();
    await waitFor(() => running.sink.of('news').length === 0);
  });

  test('a tree that it may not write to ends the attempt with an error that says so', async (t) => {
    const { server, register } = await start(t);
    await zkCli(server.address, 'create /weir', 'create /weir/channels', 'setAcl /weir/channels world:anyone:r');
    await assert.rejects(register(), /not authorized, see registry\.zookeeper\.credentials/);
  });

  test('while ZooKeeper is down it waits, and gives up when told', async (t) => {
    const { server } = await start(t);
    await server.kill();
    const config = configSchema.parse({ registry: { zookeeper: { servers: server.address, sessionTimeout: '4s' } } });
    const signal = AbortSignal.timeout(1_000);
    const info = { address: '127.0.0.1:80' };
    await assert.rejects(registerChannels(config, ['news'], info, silentLogger, { signal }), /given up/);
  });
});

describe('in the embedded registry', () => {
  interface Edge {
    readonly registry: EmbeddedRegistry;
    readonly port: number;
    stop(): Promise<void>;
  }

  async function startEdge(t: TestContext, token?: string, port = 0): Promise<Edge> {
    const registry = new EmbeddedRegistry({ maxTtl: 60_000, maxEndpoints: 10, maxEndpointsPerChannel: 100 });
    const handle = handleLeases(registry, token);
    const server: Server = createServer((request, response) => {
      void handle(request, response, request.url ?? '');
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const stop = async () => {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    t.after(stop);
    return { registry, port: (server.address() as AddressInfo).port, stop };
  }

  async function register(
    t: TestContext,
    port: number,
    embedded: object = {},
    info: EndpointInfo = { address: 'o:80' },
  ) {
    const input: ConfigInput = {
      admin: { listen: `127.0.0.1:${port}` },
      registry: { kind: 'embedded', embedded },
    };
    const config = configSchema.parse(input);
    const registration = await registerChannels(config, ['news'], info, silentLogger, { ttlMs: 1_500 });
    t.after(() => registration.close());
    return registration;
  }

  test('a lease is renewed before it ends, changes with its values, and ends with close', async (t) => {
    const { registry, port } = await startEdge(t);
    const registration = await register(t, port, {}, { address: 'o:80', load: 0.5 });
    const [made] = registry.list();
    assert.ok(made);
    assert.ok(registration.paths[0]?.endsWith(`/api/v1/channels/news/endpoints/${made.name}`));
    await waitFor(() => (registry.list()[0]?.endpoint.version ?? 0) >= 4, { what: 'four renewals' });
    assert.equal(registry.list()[0]?.endpoint.id, made.endpoint.id);
    registration.update({ load: 0.25 });
    registration.update({ bitrate: 1200 });
    await waitFor(() => registry.list()[0]?.endpoint.bitrate === 1200);
    assert.equal(registry.list()[0]?.endpoint.load, 0.25);
    await registration.close();
    assert.deepEqual(registry.list(), []);
  });

  test('it registers again when the edge was restarted', async (t) => {
    const first = await startEdge(t, undefined, await closedPort());
    await register(t, first.port);
    await first.stop();
    await sleep(300);
    const second = await startEdge(t, undefined, first.port);
    await waitFor(() => second.registry.list().length === 1);
  });

  test('the token of the settings is used, and a wrong one ends the attempt with an error', async (t) => {
    const { registry, port } = await startEdge(t, 's3cret');
    await assert.rejects(register(t, port), /401/);
    await assert.rejects(register(t, port, { token: 'wrong' }), /401 The token is wrong/);
    await register(t, port, { token: 's3cret' });
    assert.equal(registry.list().length, 1);
  });

  test('the edge may be elsewhere, under a path', async (t) => {
    const { registry, port } = await startEdge(t);
    await register(t, 1, { url: `http://127.0.0.1:${port}/` });
    assert.equal(registry.list().length, 1);
  });
});

test('what can never be registered is an error at once', async () => {
  const config = configSchema.parse({});
  const attempt = (channel: string, info: EndpointInfo) => registerChannels(config, [channel], info, silentLogger);
  await assert.rejects(attempt('a/b', { address: 'o:80' }), /channel/);
  await assert.rejects(attempt('news', { address: 'file:///x' }), /address/);
  await assert.rejects(attempt('news', { address: 'o:80', load: -1 }), /load: expected a fraction/);
});
