// How an edge with workers begins and ends: when it is ready, who is told to end, and that nothing is left.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { clusterEdges, playlist } from '../support/cluster-edges.js';
import { closedPort } from '../support/ports.js';
import { request } from '../support/requests.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, serveWeirInGroup } from '../support/weir.js';
import { allServing, isAlive, processesOf, workersOf } from '../support/workers.js';
import { startZooKeeper, zkCli } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();
const { origin, weir, keep, edgeWithOrigin, served, watchFlv } = clusterEdges(cleanups);

test('/readyz is 200 only while a worker accepts players', async () => {
  const [port, admin] = [await closedPort(), await closedPort()];
  const listeners = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`];
  const readiness = () =>
    fetch(`http://127.0.0.1:${admin}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  const accepts = async () => {
    const socket = connect(port, '127.0.0.1');
    const [outcome] = await Promise.race([once(socket, 'connect').then(() => ['accepted']), once(socket, 'error')]);
    socket.destroy();
    return outcome === 'accepted';
  };
  const seen = new Set<number>();
  const starting = keep(serveWeir('--registry', 'embedded', '--set', 'workers=1', ...listeners));
  await waitFor(async () => {
    const status = await readiness();
    seen.add(status);
    return status === 200;
  });
  assert.ok(await accepts(), 'ready, and nobody accepts');
  assert.ok(seen.has(503), 'alive before it is ready');
  const edge = await starting;
  for (const pid of workersOf(edge)) process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await readiness()) === 503, { what: 'the edge not to be ready' });
  await waitFor(async () => (await readiness()) === 200, { what: 'the edge to be ready again' });
});

test('a signal to the whole process group is one end in order: the player finishes, and nothing is taken for a crash', async () => {
  const server = await startZooKeeper();
  cleanups.push(() => server.stop());
  const { address } = await origin('a', 'news');
  await zkCli(server.address, 'create /channels', 'create /channels/news', `create /channels/news/a ${address}`);
  const settings = ['--zookeeper', server.address, '--set', 'workers=2', '--set', 'shutdown.grace=3s'];
  const edge = await keep(serveWeirInGroup(...settings));
  await served(edge);
  const { workers, registry } = processesOf(edge.child.pid ?? 0);
  const stream = await watchFlv(edge);
  process.kill(-(edge.child.pid ?? 0), 'SIGTERM');
  await waitFor(() => edge.log().includes('shutting down'), { what: 'the end to begin' });
  const before = stream.bytes();
  await waitFor(() => stream.bytes() > before + 10_000, { what: 'the stream to go on' });
  stream.close();
  assert.deepEqual(await once(edge.child, 'exit'), [0, null]);
  assert.deepEqual([...workers, ...registry].filter(isAlive), []);
  const severe = edge
    .log()
    .split('\n')
    .filter((line) => /"level":"(error|fatal)"|starting it again/.test(line));
  assert.deepEqual(severe, []);
});

test('an edge that is asked to end refuses new players at once, and lets those who are there finish', async () => {
  const edge = await edgeWithOrigin('--set', 'shutdown.grace=20s');
  const stream = await watchFlv(edge);
  const agent = new Agent({ keepAlive: false });
  edge.child.kill('SIGTERM');
  await waitFor(
    () =>
      request(edge.players + playlist, agent).then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    { what: 'the port to be closed' },
  );
  const before = stream.bytes();
  await waitFor(() => stream.bytes() > before + 10_000, { what: 'the stream to go on' });
});

test('the supervisor killed: the workers let players finish, and nothing is left', async () => {
  const server = await startZooKeeper();
  cleanups.push(() => server.stop());
  const edge = await weir('--zookeeper', server.address, '--set', 'shutdown.grace=2s');
  const pid = edge.child.pid ?? 0;
  const { workers, registry } = processesOf(pid);
  assert.deepEqual([workers.length, registry.length], [2, 1]);
  edge.child.kill('SIGKILL');
  await waitFor(() => ![...workers, ...registry].some(isAlive), { what: 'the end of all processes' });
  await waitFor(() => edge.log().includes('the supervisor is gone'));
});

test('a port that is taken is an error at the start, and no process is left', async () => {
  const edge = await edgeWithOrigin();
  const { host } = new URL(edge.players);
  await assert.rejects(serveWeir('--registry', 'embedded', '--listen', host), /EADDRINUSE|address already in use/);
});

test('a supervisor that may open no more files brings a worker back when it may, and loses none by the attempts', async () => {
  const edge = await weir('--registry', 'embedded');
  const pid = edge.child.pid ?? 0;
  const files = () => readdirSync(`/proc/${pid}/fd`).length;
  const limit = (soft: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
  const [victim = 0, other = 0] = workersOf(edge);
  const before = files();
  limit(before - 2);
  process.kill(victim, 'SIGKILL');
  const attempts = () => edge.log().split('"cause":"spawn"').length - 1;
  await waitFor(() => attempts() >= 4, { what: 'attempts in vain' });
  assert.deepEqual(workersOf(edge), [other]);
  limit(before + 1_000);
  await allServing(edge);
  await waitFor(() => files() === before, { what: 'as many open files as before' });
});
