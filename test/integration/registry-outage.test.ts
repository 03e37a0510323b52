// What the registry does when ZooKeeper, its session or its process are gone: stale, then live with the true difference.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SnapshotBuilder } from '../../src/snapshot/builder.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { live, type RunningRegistry, runRegistry, stale } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { openZkCli, startZooKeeper, type ZooKeeperServer, zkCli } from '../support/zookeeper.js';

/** Three endpoints; `changeAll` deletes one, changes one, makes one again and adds one. */
const setUp = [
  'create /channels',
  'create /channels/news',
  ...['kept', 'deleted', 'changed', 'remade'].map((name) => `create /channels/news/${name} ${name}:80`),
];
const changeAll = [
  'delete /channels/news/deleted',
  'set /channels/news/changed changed:81',
  'delete /channels/news/remade',
  'create /channels/news/remade remade:80',
  'create /channels/news/added added:80',
];

interface Ids {
  [address: string]: string;
}

const idsOf = ({ sink }: RunningRegistry): Ids =>
  Object.fromEntries(sink.of('news').map(({ address, id }) => [address.split(':')[0], id]));

/** What was told since `from` is one complete picture with the true difference, and nothing vanished before it. */
function assertTrueDifference(running: RunningRegistry, from: number, before: Ids): void {
  const { sink } = running;
  const after = idsOf(running);
  assert.deepEqual(sink.addresses('news'), ['added:80', 'changed:81', 'kept:80', 'remade:80']);
  assert.equal(after['kept'], before['kept']);
  assert.equal(after['changed'], before['changed']);
  assert.notEqual(after['remade'], before['remade']);
  assert.deepEqual(sink.sequence.slice(from), ['stale', 'replace', 'live']);
}

describe('with a server of its own', () => {
  let server: ZooKeeperServer;
  let running: RunningRegistry;
  const undo: (() => Promise<void>)[] = [];
  const owner = { after: (stop: () => Promise<void>) => undo.unshift(stop) };
  beforeEach(async () => {
    server = await startZooKeeper();
    owner.after(() => server.stop());
    await zkCli(server.address, ...setUp);
    running = runRegistry(owner, { servers: server.address });
    await live(running);
    assert.equal(running.sink.endpoints.size, 4);
  });
  afterEach(async () => {
    for (const stop of undo.splice(0)) await stop();
  });

  test('ZooKeeper killed and started again: what changed meanwhile is seen', async () => {
    const before = idsOf(running);
    const from = running.sink.told.length;
    await server.kill();
    await stale(running);
    await sleep(1_000);
    assert.equal(running.sink.endpoints.size, 4, 'what was known stands');
    const elsewhere = await server.restartElsewhere();
    await zkCli(elsewhere, ...changeAll);
    await server.kill();
    await server.restart();
    await live(running);
    assertTrueDifference(running, from, before);
    await zkCli(server.address, 'delete /channels/news/kept');
    await waitFor(() => running.sink.of('news').length === 3, { what: 'the watches to work again' });
  });

  test('session expired: what changed meanwhile is seen', async () => {
    const before = idsOf(running);
    const from = running.sink.told.length;
    await server.kill();
    const elsewhere = await server.restartElsewhere();
    await zkCli(elsewhere, ...changeAll);
    // The server ends sessions that it did not hear of for their timeout.
    await sleep(6_000);
    await server.kill();
    await server.restart();
    await live(running);
    assertTrueDifference(running, from, before);
    const ends = running.sink.notes.filter((note) => note.kind === 'session' && note.state !== 'connected');
    assert.ok(
      ends.some((note) => note.kind === 'session' && ['expired', 'watchdog'].includes(note.state)),
      JSON.stringify(ends),
    );
    await zkCli(server.address, 'delete /channels/news/kept');
    await waitFor(() => running.sink.of('news').length === 3, { what: 'the watches to work again' });
  });

  test('registry process killed with -9: it is started again, and what changed meanwhile is seen', async () => {
    const before = idsOf(running);
    const from = running.sink.told.length;
    const pid = running.pid();
    process.kill(pid, 'SIGSTOP');
    await zkCli(server.address, ...changeAll);
    process.kill(pid, 'SIGKILL');
    await stale(running);
    await live(running);
    assertTrueDifference(running, from, before);
    assert.notEqual(running.pid(), pid);
    assert.ok(running.sink.notes.some((note) => note.kind === 'session' && note.state === 'restarted'));
  });

  test('a registry process that hangs is killed and started again', async () => {
    const before = idsOf(running);
    const from = running.sink.told.length;
    process.kill(running.pid(), 'SIGSTOP');
    await zkCli(server.address, ...changeAll);
    await stale(running);
    await live(running);
    assertTrueDifference(running, from, before);
  });

  test('a frozen server: stale while it is silent, live when it answers again', async () => {
    server.freeze();
    await stale(running);
    assert.equal(running.sink.endpoints.size, 4);
    server.thaw();
    await live(running);
    await zkCli(server.address, ...changeAll);
    await waitFor(() => running.sink.addresses('news').join() === 'added:80,changed:81,kept:80,remade:80');
  });

  test('a missing root never deletes what is known: it stands, stale, until the root is there again', async () => {
    await server.kill();
    server.wipe();
    await server.restart();
    const sessions = () => running.sink.notes.flatMap((note) => (note.kind === 'session' ? [note.state] : []));
    const connected = () => sessions().filter((state) => state === 'connected').length;
    await waitFor(() => connected() >= 2, { deadline: 60_000, what: 'the session with the empty server' });
    await sleep(1_000);
    assert.equal(running.sink.state, 'stale');
    assert.equal(running.sink.endpoints.size, 4);

    const before = connected();
    process.kill(running.pid(), 'SIGKILL');
    await waitFor(() => connected() > before, { what: 'the session of another process' });
    await sleep(1_000);
    assert.equal(running.sink.state, 'stale', 'a new registry process does not know better');
    assert.equal(running.sink.endpoints.size, 4);

    await zkCli(server.address, 'create /channels', 'create /channels/news', 'create /channels/news/new new:80');
    await live(running);
    await waitFor(() => running.sink.addresses('news').join() === 'new:80');
  });

  test('stopping while the server is frozen ends in time', async () => {
    server.freeze();
    const started = performance.now();
    await running.stop();
    assert.ok(performance.now() - started < 7_000);
    server.thaw();
  });
});

describe('what an edge serves of it', () => {
  const keep = 4_000;
  const channels = Array.from({ length: 10 }, (_, i) => `c${i}`);
  const folders = ['create /channels', ...channels.map((name) => `create /channels/${name}`)];
  const nodes = channels.map((name, i) => `create -e /channels/${name}/origin 10.0.0.${i}:80`);

  /** Ten channels of one endpoint each, registered by a session of their own. */
  async function serve(t: TestContext) {
    const server = await startZooKeeper();
    t.after(() => server.stop());
    const origins = openZkCli(server.address);
    t.after(() => origins.kill());
    for (const command of [...folders, ...nodes]) origins.run(command);
    const store = new SnapshotStore();
    let fewest = Number.POSITIVE_INFINITY;
    const builder = new SnapshotBuilder({
      publish: (update) => {
        store.accept(update);
        if (complete) fewest = Math.min(fewest, store.current.channels.size);
      },
      note: () => undefined,
      eventDelay: () => undefined,
      massDropped: () => undefined,
      massDrop: { share: 0.5, minimum: 4, window: 2_000, keep },
      now: () => performance.now(),
    });
    t.after(() => builder.close());
    let complete = false;
    const running = runRegistry(t, { servers: server.address }, undefined, builder);
    const count = (resort: boolean) =>
      [...store.current.channels.values()].flatMap(({ endpoints }) =>
        endpoints.filter(({ lastResort = false }) => lastResort === resort),
      ).length;
    await waitFor(() => count(false) === 10, { deadline: 60_000, what: 'the ten endpoints' });
    complete = true;
    return { server, origins, running, count, fewest: () => fewest };
  }

  test('a ZooKeeper that lost its data empties no channel, although its root is there again at once', async (t) => {
    const { server, running, count, fewest } = await serve(t);
    await server.kill();
    server.wipe();
    await server.restart();
    await zkCli(server.address, 'create /channels', 'create /channels/c0');
    await zkCli(server.address, 'create /channels/c0/origin 10.0.0.0:80');
    await stale(running);
    await live(running);
    assert.equal(fewest(), 10);
    assert.deepEqual([count(false), count(true)], [1, 9]);
    await waitFor(() => count(true) === 0, { what: 'the end of the last resorts' });
    assert.equal(count(false), 1);
  });

  test('a mass drop and then an outage: the last resorts stand until the registry is back, and then for their time', async (t) => {
    const { server, origins, running, count } = await serve(t);
    await origins.kill();
    await waitFor(() => count(true) === 10, { deadline: 60_000, what: 'the mass drop' });
    await server.kill();
    await stale(running);
    await sleep(keep + 1_000);
    assert.equal(count(true), 10);
    await server.restart();
    await live(running);
    const back = performance.now();
    await waitFor(() => count(true) === 0, { deadline: 60_000, what: 'the end of the last resorts' });
    assert.ok(performance.now() - back > keep - 500);
  });
});

test('started while ZooKeeper is down: it keeps trying and gets live', async (t) => {
  const server = await startZooKeeper();
  t.after(() => server.stop());
  await zkCli(server.address, ...setUp);
  await server.kill();
  const running = runRegistry(t, { servers: server.address });
  await waitFor(() => running.sink.notes.some((note) => note.kind === 'session' && note.state === 'watchdog'), {
    deadline: 60_000,
    what: 'the watchdog',
  });
  assert.deepEqual(running.sink.told, [], 'nothing is known, so nothing is told');
  await server.restart();
  await live(running);
  assert.equal(running.sink.endpoints.size, 4);
});

test('a name that does not resolve is tried again, and the servers beside it are used', async (t) => {
  const server = await startZooKeeper();
  t.after(() => server.stop());
  const running = runRegistry(t, { servers: `no-such-host.invalid:2181,${server.address}` });
  await live(running);
  const lost = runRegistry(t, { servers: 'no-such-host.invalid:2181' });
  await waitFor(
    () => lost.sink.notes.filter((note) => note.kind === 'session' && note.state === 'unresolved').length > 1,
  );
});
