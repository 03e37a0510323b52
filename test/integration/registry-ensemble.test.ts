// An edge before an ensemble of three ZooKeeper servers that fail one after the other: players notice nothing, no endpoint is
// lost, and whatever changes afterwards is seen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { spawnOrigin } from '../support/origin-process.js';
import { Players } from '../support/requests.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { startEnsemble, writeNodes, type ZooKeeperServer } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();
const crowd = 50;
/** Their paths are more than one session may watch. */
const long = { channels: 5, endpoints: 90, name: 'n'.repeat(1_900) };
const known = crowd + 1 + long.channels * long.endpoints;
let servers: ZooKeeperServer[];
before(async () => {
  servers = await startEnsemble({ tickTime: 200 });
});
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

const addressesOf = (some: readonly ZooKeeperServer[]) => some.map(({ address }) => address).join(',');

async function leader(): Promise<ZooKeeperServer> {
  return await waitFor(
    async () => {
      const modes = await Promise.all(servers.map((server) => server.mode()));
      return servers[modes.indexOf('leader')];
    },
    { deadline: 60_000, interval: 100, what: 'a leader' },
  );
}

/** Endpoints that the edge has. */
async function endpoints(edge: WeirProcess): Promise<readonly string[]> {
  const answer = await fetch(`${edge.admin}/api/v1/snapshot`);
  const { channels } = (await answer.json()) as { channels: { endpoints: { service_address: string }[] }[] };
  return channels.flatMap((channel) => channel.endpoints.map((one) => one.service_address));
}

/** An endpoint that is registered now is seen. While a leader is elected a write may be refused. */
async function follows(
  edge: WeirProcess,
  upright: readonly ZooKeeperServer[],
  name: string,
  channel = 'crowd',
): Promise<void> {
  const address = `${name}:80`;
  const node = { path: `/channels/${channel}/${name}`, data: address };
  await waitFor(
    () =>
      writeNodes(addressesOf(upright), [node]).then(
        () => true,
        () => false,
      ),
    { deadline: 60_000, interval: 100, what: `the registration of ${name}` },
  );
  await waitFor(async () => (await endpoints(edge)).includes(address), { deadline: 60_000, interval: 50, what: name });
}

/** Looks again and again until it is stopped; tells of the fewest endpoints there were. */
function leastEndpoints(edge: WeirProcess): { stop(): Promise<number> } {
  let least = Number.POSITIVE_INFINITY;
  let going = true;
  const looking = (async () => {
    for (; going; await sleep(100)) least = Math.min(least, (await endpoints(edge)).length);
  })();
  return {
    stop: async () => {
      going = false;
      await looking;
      return least;
    },
  };
}

test('with several sessions a killed leader, a frozen one and a restart of all cost nothing, and changes are followed', async () => {
  const origin = await spawnOrigin('a', 'news');
  cleanups.push(() => origin.kill());
  await writeNodes(addressesOf(servers), [
    { path: '/channels', data: '' },
    { path: '/channels/news', data: '' },
    { path: '/channels/news/a', data: origin.address },
    { path: '/channels/crowd', data: '' },
    ...Array.from({ length: crowd }, (_, i) => ({ path: `/channels/crowd/e${i}`, data: `10.0.0.1:${i + 1}` })),
    ...Array.from({ length: long.channels }, (_, i) => ({ path: `/channels/long-${i}`, data: '' })),
    ...Array.from({ length: long.channels * long.endpoints }, (_, i) => {
      return { path: `/channels/long-${i % long.channels}/${i}-${long.name}`, data: `10.0.0.2:${i + 1}` };
    }),
  ]);
  const edge = await serveWeir(
    ...['--zookeeper', addressesOf(servers), '--set', 'registry.zookeeper.sessionTimeout=4s'],
    ...['--set', 'workers=1', '--set', 'log.requests=false'],
  );
  cleanups.push(() => edge.stop());
  assert.equal((await endpoints(edge)).length, known);
  const metrics = await (await fetch(`${edge.admin}/metrics`)).text();
  const sessions = /^weir_registry_session.*\{state="connected"\} (\d+)$/m.exec(metrics)?.[1];
  assert.ok(Number(sessions) >= 2, `${sessions} sessions`);
  const least = leastEndpoints(edge);
  const players = new Players(edge.players, ['/live/news.m3u8'], 2);

  const killed = await leader();
  await killed.kill();
  await follows(
    edge,
    servers.filter((server) => server !== killed),
    'after-the-kill',
  );
  await killed.restart();

  const frozen = await leader();
  frozen.freeze();
  try {
    await follows(
      edge,
      servers.filter((server) => server !== frozen),
      'beside-the-frozen',
    );
  } finally {
    frozen.thaw();
  }

  for (const server of servers) {
    await server.kill();
    await server.restart();
  }
  await follows(edge, servers, 'after-the-restart');
  // Whichever session has the channel.
  const channels = Array.from({ length: long.channels }, (_, i) => `long-${i}`);
  await Promise.all(channels.map((channel) => follows(edge, servers, `in-${channel}`, channel)));

  const { requests, failures } = await players.stop();
  assert.deepEqual(failures, []);
  assert.ok(requests > 0);
  assert.equal(await least.stop(), known);
  assert.equal((await endpoints(edge)).length, known + 3 + long.channels);
});
