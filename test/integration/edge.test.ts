// The whole edge as a user runs it: `weir serve` on a real ZooKeeper, in front of origins with real media.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../src/log.js';
import { createRegistry } from '../../src/registry/create.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { testConfig } from '../support/data-plane.js';
import { type OriginProcess, spawnOrigin } from '../support/origin-process.js';
import { RecordingSink } from '../support/recording-sink.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { knownToAll, processesOf, register } from '../support/workers.js';
import { startZooKeeper, type ZooKeeperServer, zkCli } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();

async function zooKeeper(): Promise<ZooKeeperServer> {
  const server = await startZooKeeper();
  cleanups.push(() => server.stop());
  return server;
}
async function origin(name: string, ...channels: string[]): Promise<OriginProcess> {
  const started = await spawnOrigin(name, ...channels);
  cleanups.push(() => started.kill());
  return started;
}
async function weir(...parameters: string[]): Promise<WeirProcess> {
  // A pick for each request: who answers tells what was picked.
  const started = await serveWeir('--set', 'hls.mode=passthrough', ...parameters);
  cleanups.push(() => started.stop());
  return started;
}

const info = (address: string, load: number) =>
  JSON.stringify({ service_address: address, load, bitrate: 1200, packet_loss_rate: 0 });
const publishOne = (server: ZooKeeperServer, { name, address }: OriginProcess) =>
  zkCli(
    server.address,
    'create /channels',
    'create /channels/news',
    `create /channels/news/${name} ${info(address, 0.1)}`,
  );
const playlist = (edge: WeirProcess, channel = 'news') => fetch(`${edge.players}/live/${channel}.m3u8`);
/** Which origin answers now. */
async function answeredBy(edge: WeirProcess): Promise<string | null> {
  const answer = await playlist(edge);
  await answer.arrayBuffer();
  return answer.headers.get('x-origin');
}
async function snapshotState(edge: WeirProcess): Promise<string> {
  const answer = (await (await fetch(`${edge.admin}/api/v1/snapshot`)).json()) as { state: string };
  return answer.state;
}

/** Requests without a pause until `stop`; returns who answered and when each request was sent. */
function keepRequesting(edge: WeirProcess) {
  const seen: { sentAt: number; by: string | null; status: number }[] = [];
  let going = true;
  const run = async () => {
    while (going) {
      const sentAt = performance.now();
      const answer = await playlist(edge).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      seen.push({ sentAt, by: answer?.headers.get('x-origin') ?? null, status: answer?.status ?? 0 });
      await sleep(2);
    }
  };
  const running = run();
  const stop = async () => {
    going = false;
    await running;
    return seen;
  };
  cleanups.push(stop);
  return { seen, stop };
}

test('zkCli.sh: a channel appears, its load changes, its node is deleted, and each next request follows', async () => {
  const server = await zooKeeper();
  const one = await origin('one', 'news');
  const two = await origin('two', 'news');
  await zkCli(server.address, 'create /channels', 'create /channels/news');
  const edge = await weir('--zookeeper', server.address, '--set', 'balancer.affinityMargin=0');
  assert.equal((await playlist(edge)).status, 404);

  await zkCli(server.address, `create /channels/news/one ${info(one.address, 0.1)}`);
  await waitFor(async () => (await answeredBy(edge)) === 'one', { what: 'the channel to appear' });
  await zkCli(server.address, `create /channels/news/two ${info(two.address, 0.5)}`);
  await zkCli(server.address, `set /channels/news/one ${info(one.address, 0.9)}`);
  await waitFor(async () => (await answeredBy(edge)) === 'two', { what: 'the pick to follow the load' });

  // A second, independent watcher tells when the deletion became known to this machine.
  const sink = new RecordingSink();
  const stop = new AbortController();
  const settings = testConfig({ registry: { zookeeper: { servers: server.address } } }).registry;
  const watching = createRegistry(settings, silentLogger).run(sink, stop.signal);
  cleanups.push(() => {
    stop.abort();
    return watching;
  });
  await waitFor(() => sink.of('news').length === 2, { what: 'the other watcher to see both' });
  const load = keepRequesting(edge);
  const deleting = zkCli(server.address, 'delete /channels/news/two');
  await waitFor(() => sink.of('news').length === 1, { what: 'the deletion', deadline: 60_000 });
  const deletedAt = performance.now();
  await deleting;
  // On a quiet machine both know within milliseconds: the rest is for one that is late with one of them.
  const afterwards = () => load.seen.filter((request) => request.sentAt > deletedAt + 1_000);
  await waitFor(() => afterwards().length > 20, { what: 'requests after the deletion' });
  const late = afterwards();
  const seen = await load.stop();
  assert.deepEqual([...new Set(late.map((request) => request.by))], ['one']);
  assert.ok(seen.some((request) => request.by === 'two'));
  assert.deepEqual([...new Set(seen.map((request) => request.status))], [200]);
});

test('an origin killed with -9 under 100 HLS players costs no player an error', async () => {
  const edge = await weir('--registry', 'embedded');
  const origins = [await origin('one', 'news'), await origin('two', 'news'), await origin('three', 'news')];
  for (const [i, one] of origins.entries()) {
    await register(edge, 'news', one.address, 0.1 * i);
  }
  await knownToAll(edge, 'news');
  assert.equal(await answeredBy(edge), 'one');
  let going = true;
  cleanups.push(() => {
    going = false;
  });
  const failures: string[] = [];
  let answered = 0;
  const player = async () => {
    while (going) {
      const list = await playlist(edge);
      const text = await list.text();
      if (list.status !== 200) failures.push(`playlist ${list.status} ${text}`);
      const segment = text.split('\n').find((line) => line !== '' && !line.startsWith('#'));
      if (segment !== undefined) {
        const answer = await fetch(new URL(segment, `${edge.players}/live/`), { method: 'HEAD' });
        // Origins package on their own: one that has taken over may not have a segment of another one.
        if (answer.status !== 200 && answer.status !== 404) failures.push(`segment ${answer.status}`);
      }
      answered += 1;
      await sleep(20);
    }
  };
  const players = Array.from({ length: 100 }, player);
  await waitFor(() => answered > 300, { what: 'the players to play' });
  await origins[0]?.kill();
  const before = answered;
  await waitFor(() => answered > before + 1000, { what: 'the players to go on', deadline: 60_000 });
  going = false;
  await Promise.all(players);
  assert.deepEqual(failures, []);
  assert.notEqual(await answeredBy(edge), 'one');
  const metrics = await (await fetch(`${edge.admin}/metrics`)).text();
  assert.match(metrics, /^weir_retries_total\{cause="\w+"\} [1-9]/m);
});

test('ZooKeeper down for longer than a session: every request served, changes made meanwhile are seen after it', async () => {
  const server = await zooKeeper();
  const one = await origin('one', 'news');
  const two = await origin('two', 'news');
  await publishOne(server, one);
  const edge = await weir('--zookeeper', server.address, '--set', 'registry.zookeeper.sessionTimeout=4s');
  await waitFor(async () => (await answeredBy(edge)) === 'one');
  await knownToAll(edge, 'news');
  const load = keepRequesting(edge);
  await server.kill();
  await waitFor(async () => (await snapshotState(edge)) === 'stale', { what: 'stale' });
  // More than twice the timeout, after which the process gives the session up.
  await sleep(10_000);
  assert.equal(await answeredBy(edge), 'one');
  await server.restart();
  // Written before weir is back, or after: it must be seen either way.
  await zkCli(server.address, `create /channels/news/two ${info(two.address, 0.1)}`);
  await zkCli(server.address, 'delete /channels/news/one');
  await waitFor(async () => (await snapshotState(edge)) === 'live', { what: 'live again', deadline: 60_000 });
  await waitFor(async () => (await answeredBy(edge)) === 'two', { what: 'the change to be seen', deadline: 60_000 });
  const seen = await load.stop();
  assert.deepEqual([...new Set(seen.map((request) => request.status))], [200]);
});

test("the registry's process killed with -9: every request served, changes made meanwhile are seen after it", async () => {
  const server = await zooKeeper();
  const one = await origin('one', 'news');
  const two = await origin('two', 'news');
  await publishOne(server, one);
  const edge = await weir('--zookeeper', server.address);
  await waitFor(async () => (await answeredBy(edge)) === 'one');
  await knownToAll(edge, 'news');
  const load = keepRequesting(edge);
  const registryProcessOf = () => processesOf(edge.child.pid ?? 0).registry[0];
  const registryProcess = registryProcessOf();
  assert.ok(registryProcess !== undefined);
  process.kill(registryProcess, 'SIGKILL');
  await zkCli(server.address, `create /channels/news/two ${info(two.address, 0.1)}`);
  await zkCli(server.address, 'delete /channels/news/one');
  await waitFor(async () => (await answeredBy(edge)) === 'two', { what: 'the change to be seen', deadline: 60_000 });
  assert.notEqual(registryProcessOf(), registryProcess);
  const seen = await load.stop();
  assert.deepEqual([...new Set(seen.map((request) => request.status))], [200]);
});

test('started with ZooKeeper down and a snapshot file, it serves what it last knew, as stale', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-edge-'));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const snapshotFile = `registry.snapshotFile=${join(directory, 'snapshot.json')}`;
  const server = await zooKeeper();
  const one = await origin('one', 'news');
  await publishOne(server, one);
  const first = await weir('--zookeeper', server.address, '--set', snapshotFile);
  await waitFor(async () => (await answeredBy(first)) === 'one');
  assert.equal(await first.stop(), 0);
  await server.kill();
  const second = await weir('--zookeeper', server.address, '--set', snapshotFile);
  assert.equal(await snapshotState(second), 'stale');
  assert.equal((await fetch(`${second.admin}/readyz`)).status, 200);
  assert.equal(await answeredBy(second), 'one');
  await server.restart();
  await waitFor(async () => (await snapshotState(second)) === 'live', { what: 'live', deadline: 60_000 });
  assert.equal(await answeredBy(second), 'one');
});

/** ffmpeg decodes for some seconds of media and must find nothing to complain about. */
function decode(url: string, seconds: number): string {
  const words = ['-v', 'error', '-xerror', '-i', url, '-t', String(seconds), '-f', 'null', '-'];
  const { status, stderr } = spawnSync('ffmpeg', words, { encoding: 'utf8', timeout: 120_000 });
  return `${status} ${stderr}`.trim();
}

test('ffmpeg decodes 10 s of HLS and of HTTP-FLV without an error', async () => {
  const edge = await weir('--registry', 'embedded');
  const one = await origin('one', 'news');
  await register(edge, 'news', one.address);
  await knownToAll(edge, 'news');
  assert.equal(decode(`${edge.players}/live/news.m3u8`, 10), '0');
  assert.equal(decode(`${edge.players}/live/news.flv`, 10), '0');
});

test('promtool finds nothing wrong with the metrics', async () => {
  const edge = await weir('--registry', 'embedded');
  await playlist(edge);
  const metrics = await (await fetch(`${edge.admin}/metrics`)).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' });
  assert.equal(`${status} ${stdout}${stderr}`.trim(), '0');
});

test('SIGTERM ends it with 0, and a second one at once, although a player still watches', async () => {
  const edge = await weir('--registry', 'embedded', '--set', 'shutdown.grace=60s');
  const one = await origin('one', 'news');
  await register(edge, 'news', one.address);
  await knownToAll(edge, 'news');
  const watching = await fetch(`${edge.players}/live/news.flv`);
  const ended = watching.arrayBuffer().catch(() => 'cut');
  edge.child.kill('SIGTERM');
  await waitFor(
    async () =>
      fetch(edge.players).then(
        () => false,
        () => true,
      ),
    { what: 'no new players' },
  );
  assert.equal((await fetch(`${edge.admin}/readyz`)).status, 503);
  edge.child.kill('SIGTERM');
  await ended;
  await waitFor(() => edge.child.exitCode !== null || edge.child.signalCode !== null, { what: 'the end' });
});
