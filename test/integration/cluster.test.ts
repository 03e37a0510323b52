// `weir serve` with two workers, as a user runs it: who dies is back, who is replaced refuses nobody, and the totals are true.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { clusterEdges, playlist } from '../support/cluster-edges.js';
import { Players, request } from '../support/requests.js';
import { waitFor } from '../support/wait.js';
import type { WeirProcess } from '../support/weir.js';
import {
  connectionsOf,
  isAlive,
  processesOf,
  register,
  scraped,
  startsOf,
  timeToStart,
  workersOf,
} from '../support/workers.js';
import { startZooKeeper, zkCli } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();

const { origin, weir, edgeWithOrigin, served } = clusterEdges(cleanups);

/** Resolves with the connections of each worker when there are so many in all: some may still wait to be accepted. */
function connected(edge: WeirProcess, players: number): Promise<number[]> {
  const all = () => {
    const counts = workersOf(edge).map((pid) => connectionsOf(pid, edge));
    return counts.reduce((sum, count) => sum + count, 0) >= players ? counts : undefined;
  };
  return waitFor(all, { what: `${players} connections` });
}
/** Every worker serves, after so many crashes that the supervisor knows of. */
const crashed = async (edge: WeirProcess, times: number) =>
  (await scraped(edge, 'weir_worker_exits_total', { cause: 'crash' })) === times &&
  (await scraped(edge, 'weir_workers', { state: 'serving' })) === 2;
function agent(): Agent {
  const made = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanups.push(() => made.destroy());
  return made;
}
function settingsFile(): { readonly path: string; write(lines: readonly string[]): void } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'weir.yaml');
  const write = (lines: readonly string[]) => {
    // Never seen half written: an empty file would be the defaults.
    writeFileSync(`${path}.new`, `${lines.join('\n')}\n`);
    renameSync(`${path}.new`, path);
  };
  return { path, write };
}
function play(edge: WeirProcess, players: number): Players {
  const started = new Players(edge.players, [playlist, `${playlist}?another`], players);
  cleanups.push(() => started.stop());
  return started;
}

test('connections spread over the workers, and the supervisor has none', async () => {
  const edge = await edgeWithOrigin();
  assert.equal(workersOf(edge).length, 2);
  const players = play(edge, 100);
  await waitFor(() => players.tally.requests > 1000, { what: 'the players' });
  const counts = await connected(edge, 100);
  assert.equal(connectionsOf(edge.child.pid ?? 0, edge), 0);
  assert.deepEqual((await players.stop()).failures, []);
  // A lead of 16 is allowed, and what a worker told of its connections may be a moment old.
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 20, `connections by worker: ${counts}`);
});

test('the only worker killed: the port stays open, and who comes meanwhile is served by the next one', async () => {
  const edge = await edgeWithOrigin('--set', 'workers=1');
  const [victim = 0] = workersOf(edge);
  process.kill(victim, 'SIGKILL');
  await waitFor(() => !isAlive(victim), { what: 'its end' });
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await request(edge.players + playlist, agent())).status),
  );
  assert.deepEqual(
    statuses,
    statuses.map(() => 200),
  );
  assert.equal(workersOf(edge).includes(victim), false);
});

test('a worker with far fewer players than the other takes the new ones', async () => {
  const edge = await edgeWithOrigin();
  const [victim = 0] = workersOf(edge);
  const before = play(edge, 60);
  await waitFor(() => before.tally.requests > 120, { what: 'the players' });
  process.kill(victim, 'SIGKILL');
  // Its players come back before it does, all to the other one.
  await waitFor(() => crashed(edge, 1), { what: 'another' });
  const after = play(edge, 60);
  await waitFor(() => after.tally.requests > 120, { what: 'the new players' });
  const counts = await connected(edge, 120);
  assert.deepEqual((await after.stop()).failures, []);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 30, `connections by worker: ${counts}`);
});

test('the totals are what the players counted, with two workers, after a reload and after a drain', async () => {
  const edge = await edgeWithOrigin('--set', 'shutdown.grace=3s');
  const answered = () => scraped(edge, 'weir_http_requests_total', { protocol: 'hls', status_class: '2xx' });
  await waitFor(async () => (await answered()) === 1, { what: 'the first request to be counted' });
  const before = {
    requests: 1,
    bytes: await scraped(edge, 'weir_http_sent_bytes_total', { protocol: 'hls' }),
  };
  const seen: number[] = [];
  let requests = 0;
  let bytes = 0;
  for (let round = 0; round < 3; round += 1) {
    const old = workersOf(edge);
    const players = play(edge, 30);
    await waitFor(() => players.tally.requests > 300);
    if (round > 0) {
      edge.child.kill('SIGHUP');
      await waitFor(() => workersOf(edge).filter((pid) => !old.includes(pid)).length === 2, { what: 'new workers' });
      seen.push(await scraped(edge, 'weir_http_requests_total', { protocol: 'hls' }));
    }
    const tally = await players.stop();
    assert.deepEqual(tally.failures, []);
    requests += tally.requests;
    bytes += tally.bytes;
    if (round > 0) await waitFor(() => !old.some(isAlive), { what: 'the end of the old workers' });
    seen.push(await scraped(edge, 'weir_http_requests_total', { protocol: 'hls' }));
  }
  const counted = async () => (await answered()) - before.requests;
  await waitFor(async () => (await counted()) >= requests, { what: 'the last request' });
  assert.equal(await counted(), requests);
  assert.equal((await scraped(edge, 'weir_http_sent_bytes_total', { protocol: 'hls' })) - before.bytes, bytes);
  assert.equal(
    (await scraped(edge, 'weir_http_duration_seconds_count', { protocol: 'hls' })) - before.requests,
    requests,
  );
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
    'counters never go down',
  );
  assert.equal(await scraped(edge, 'weir_workers', { state: 'serving' }), 2);
});

test('kill -9 of a worker: players of the other one see nothing, and it is back soon', async () => {
  const edge = await edgeWithOrigin();
  const [victim = 0, survivor = 0] = workersOf(edge);
  const agents = Array.from({ length: 40 }, agent);
  const ask = (one: Agent) =>
    request(edge.players + playlist, one).then(
      ({ status }) => status,
      () => 0,
    );
  await Promise.all(agents.map(ask));
  const counted = await scraped(edge, 'weir_http_requests_total', { protocol: 'hls' });
  const connections = connectionsOf(survivor, edge);
  const killedAt = Date.now();
  process.kill(victim, 'SIGKILL');
  // Beside it, so that both have to do with the same machine.
  const starting = timeToStart();
  const statuses = await Promise.all(agents.map(ask));
  assert.ok(statuses.filter((status) => status === 200).length >= connections, `${statuses} of ${connections}`);
  await waitFor(() => crashed(edge, 1), { what: 'another worker' });
  // As the supervisor told it: scrapes and waits of the test take their own time.
  const [, , again] = await waitFor(() => (startsOf(edge).length === 3 ? startsOf(edge) : undefined));
  const servesAfter = (again?.time ?? Number.NaN) - killedAt;
  const bare = await starting;
  assert.ok(
    servesAfter < Math.max(2_000, 3 * bare),
    `another worker serves after ${servesAfter} ms; a bare one: ${bare} ms`,
  );
  assert.ok(
    (await scraped(edge, 'weir_http_requests_total', { protocol: 'hls' })) >= counted,
    'counters never go down',
  );
  assert.deepEqual(
    await Promise.all(agents.map(ask)),
    agents.map(() => 200),
  );
});

test('20 reloads under load: no request fails', async () => {
  const edge = await edgeWithOrigin('--set', 'shutdown.grace=2s');
  const players = play(edge, 20);
  const fresh = keepConnecting(edge.players + playlist);
  for (let round = 0; round < 20; round += 1) {
    const log = edge.log().length;
    edge.child.kill('SIGHUP');
    await waitFor(() => edge.log().slice(log).includes('settings in effect'), { deadline: 60_000, what: 'the reload' });
  }
  const tally = await players.stop();
  const connected = await fresh.stop();
  assert.deepEqual(tally.failures, []);
  assert.deepEqual(connected.failures, []);
  assert.ok(tally.requests > 500 && connected.requests > 100, `${tally.requests}, ${connected.requests}`);
  assert.ok((await scraped(edge, 'weir_worker_exits_total', { cause: 'reload' })) >= 36);
  assert.equal(await scraped(edge, 'weir_worker_exits_total', { cause: 'crash' }), 0);
});

test('a change of the file is in effect without new workers where it can be, else with new ones; a bad one is refused', async () => {
  const file = settingsFile();
  file.write(['balancer: { policy: lowest }']);
  const edge = await edgeWithOrigin('--config', file.path, '--set', 'shutdown.grace=1s');
  const workers = workersOf(edge);
  const policy = async () =>
    ((await (await fetch(`${edge.admin}/api/v1/channels/news/explain`)).json()) as { policy: string }).policy;
  assert.equal(await policy(), 'lowest');

  file.write(['balancer: { policy: random }']);
  await waitFor(async () => (await policy()) === 'random', { what: 'the policy' });
  assert.deepEqual(workersOf(edge), workers);

  file.write(['balancer: { policy: fastest }', 'listne: ":80"']);
  await waitFor(() => edge.log().includes('reload refused'), { what: 'the refusal' });
  assert.match(edge.log(), /balancer\.policy: expected one of .*, got \\"fastest\\"/);
  assert.match(edge.log(), /listne: unknown setting; did you mean listen\?/);
  assert.equal(await policy(), 'random');
  assert.deepEqual(workersOf(edge), workers);

  file.write(['balancer: { policy: random }', 'http: { keepAliveTimeout: 5s }']);
  await waitFor(() => !workersOf(edge).some((pid) => workers.includes(pid)), { what: 'new workers' });
  assert.equal(workersOf(edge).length, 2);
  const { headers } = await request(edge.players + playlist, agent());
  assert.equal(headers['keep-alive'], 'timeout=5');

  const told = edge.log().length;
  file.write(['workers: 3', 'balancer: { policy: random }', 'http: { keepAliveTimeout: 5s }']);
  // The flag --set workers=2 is stronger than the file: nothing changes.
  await waitFor(() => edge.log().slice(told).includes('nothing to do'), { what: 'the reload' });
  assert.equal(workersOf(edge).length, 2);
});

test('a worker that stands still is killed, and another one started', async () => {
  const edge = await edgeWithOrigin('--set', 'cluster.stuckAfter=3s');
  const [victim = 0, other = 0] = workersOf(edge);
  process.kill(victim, 'SIGSTOP');
  await waitFor(() => !isAlive(victim), { what: 'its end' });
  await waitFor(() => workersOf(edge).length === 2, { what: 'another worker' });
  assert.ok(workersOf(edge).includes(other));
  assert.equal(await scraped(edge, 'weir_worker_exits_total', { cause: 'stuck' }), 1);
});

test('a worker above its memory limit is drained and replaced', async () => {
  const edge = await edgeWithOrigin('--set', 'cluster.memoryLimit=1MiB', '--set', 'shutdown.grace=1s');
  const workers = workersOf(edge);
  await waitFor(() => !workers.some(isAlive), { deadline: 60_000, what: 'new workers' });
  await waitFor(async () => (await scraped(edge, 'weir_worker_exits_total', { cause: 'memory' })) >= 2);
  await served(edge);
});

test('kill -9 of the registry process: nothing', async () => {
  const server = await startZooKeeper();
  cleanups.push(() => server.stop());
  const { address } = await origin('a', 'news');
  await zkCli(
    server.address,
    'create /channels',
    `create /channels/news ${JSON.stringify({ service_address: address, load: 0.1, bitrate: 1000, packet_loss_rate: 0 })}`,
  );
  const edge = await weir('--zookeeper', server.address);
  await served(edge);
  const [registry = 0] = processesOf(edge.child.pid ?? 0).registry;
  const players = play(edge, 10);
  process.kill(registry, 'SIGKILL');
  await waitFor(() => !processesOf(edge.child.pid ?? 0).registry.includes(registry));
  await waitFor(() => processesOf(edge.child.pid ?? 0).registry.length === 1, { what: 'another registry process' });
  const { requests } = players.tally;
  await waitFor(() => players.tally.requests > requests + 100, { what: 'the players to go on' });
  assert.deepEqual((await players.stop()).failures, []);
});

/** One new connection after the other. */
function keepConnecting(url: string) {
  const failures: string[] = [];
  let requests = 0;
  let going = true;
  const run = async () => {
    while (going) {
      const one = new Agent({ keepAlive: false });
      const failed = await request(url, one).then(
        ({ status }) => (status === 200 ? undefined : `${status}`),
        (error: Error) => error.message,
      );
      requests += 1;
      if (failed !== undefined) failures.push(failed);
      one.destroy();
      await sleep(20);
    }
  };
  const running = run();
  const stop = async () => {
    going = false;
    await running;
    return { failures, requests };
  };
  cleanups.push(stop);
  return { stop };
}

test('an endpoint at an address of the edge itself is refused by its workers, whichever ports the system gave', async () => {
  const edge = await edgeWithOrigin();
  for (const own of [edge.admin, edge.players]) {
    const { port } = new URL(own);
    await register(edge, `self-${port}`, `127.0.0.1:${port}`);
    const explained = `${edge.admin}/api/v1/channels/self-${port}/explain`;
    const reason = async () => {
      const answer = await fetch(explained);
      const { endpoints } = (await answer.json()) as { endpoints?: { reason?: string }[] };
      return endpoints?.[0]?.reason;
    };
    assert.equal(await waitFor(reason, { what: 'the endpoint' }), 'address_refused');
    const asked = await fetch(`${edge.players}/live/self-${port}/api/v1/snapshot`);
    assert.equal(asked.status, 503);
  }
});
