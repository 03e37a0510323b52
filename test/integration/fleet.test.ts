// The session of a fleet and what is agreed by it, on a real ZooKeeper.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/package.js';
import { createProcessRegistry } from '../../src/registry/registry-process.js';
import { becomes, directSession, quietLogger, registrySettings } from '../support/fleet-sessions.js';
import { RecordingSink } from '../support/recording-sink.js';
import { assertOneAtATime, linesOf, tokensIn } from '../support/token-log.js';
import { waitFor } from '../support/wait.js';
import { startZooKeeper, type ZooKeeperServer, zkCli } from '../support/zookeeper.js';

let zookeeper: ZooKeeperServer;
before(async () => {
  zookeeper = await startZooKeeper();
});
after(() => zookeeper.stop());

describe('a session', { concurrency: true }, () => {
  test('makes, reads, writes and removes nodes, and overwrites no other version', async (t) => {
    const session = await directSession(zookeeper.address);
    t.after(() => session.close());
    await assert.rejects(session.get('/a'), { kind: 'lost' });
    assert.deepEqual(await becomes(session, 'connected'), { kind: 'connected', fresh: true });
    assert.equal(session.isAlive(), true);
    assert.equal(await session.get('/calls/b/c'), undefined);
    assert.equal(await session.children('/calls/b'), undefined);
    assert.equal(await session.create('/calls/b/c', 'first', 'persistent'), '/calls/b/c');
    await assert.rejects(session.create('/calls/b/c', '', 'persistent'), { kind: 'exists' });
    assert.equal(await session.set('/calls/b/c', 'sécond', 0), 1);
    await assert.rejects(session.set('/calls/b/c', 'third', 0), { kind: 'conflict' });
    await assert.rejects(session.set('/calls/b/d', 'third', 0), { kind: 'missing' });
    const node = await session.get('/calls/b/c');
    assert.deepEqual([node?.data, node?.version, node?.mine], ['sécond', 1, false]);
    const made = await session.create('/calls/b/n-', '', 'ephemeral_sequential');
    assert.match(made, /^\/calls\/b\/n-\d{10}$/);
    const own = await session.get(made);
    assert.equal(own?.mine, true);
    assert.ok(BigInt(own?.czxid ?? 0) > BigInt(node?.czxid ?? 0));
    assert.equal((await session.children('/calls/b'))?.length, 2);
    await assert.rejects(session.remove('/calls/b'), { kind: 'not_empty' });
    await assert.rejects(session.remove('/calls/b/c', 0), { kind: 'conflict' });
    await session.remove('/calls/b/c', 1);
    await session.remove('/calls/b/c');
    await assert.rejects(session.create('/calls/b/x', 'x'.repeat(100_001), 'persistent'), { kind: 'too_large' });
    await session.close();
    assert.equal(session.isAlive(), false);
    await assert.rejects(session.get('/calls'), { kind: 'lost' });
  });

  test('tells of changes of nodes and lists, of those that do not exist yet too', async (t) => {
    const session = await directSession(zookeeper.address);
    const other = await directSession(zookeeper.address);
    t.after(() => Promise.all([session.close(), other.close()]));
    await Promise.all([becomes(session, 'connected'), becomes(other, 'connected')]);
    let node: string | undefined = 'not read';
    let names: readonly string[] | undefined = [];
    const ends = [
      session.watch('/watched', 'data', async () => {
        node = (await session.get('/watched'))?.data;
      }),
      session.watch('/watched', 'children', async () => {
        names = await session.children('/watched');
      }),
    ];
    await waitFor(() => node === undefined && names === undefined);
    await other.create('/watched', 'made', 'persistent');
    await waitFor(() => node === 'made' && names?.length === 0);
    await other.set('/watched', 'written', 0);
    await waitFor(() => node === 'written');
    for (const name of ['a', 'b', 'c']) await other.create(`/watched/${name}`, '', 'ephemeral');
    await waitFor(() => names?.length === 3);
    await other.close();
    await waitFor(() => names?.length === 0);
    await session.remove('/watched');
    await waitFor(() => node === undefined && names === undefined);
    for (const end of ends) end();
  });

  test('with credentials, what it makes is theirs, and everybody may read it', async (t) => {
    const session = await directSession(zookeeper.address, { credentials: 'edge:secret' });
    const stranger = await directSession(zookeeper.address);
    t.after(() => Promise.all([session.close(), stranger.close()]));
    await Promise.all([becomes(session, 'connected'), becomes(stranger, 'connected')]);
    await session.create('/weir/owned/a', 'data', 'ephemeral');
    assert.equal((await stranger.get('/weir/owned/a'))?.data, 'data');
    await assert.rejects(stranger.set('/weir/owned/a', 'other', 0), { kind: 'denied' });
    await assert.rejects(stranger.create('/weir/owned/b', '', 'ephemeral'), { kind: 'denied' });
    await assert.rejects(stranger.remove('/weir/owned/a'), { kind: 'denied' });
    const acls = await zkCli(zookeeper.address, 'getAcl /weir/owned', 'getAcl /weir/owned/a');
    assert.equal(acls.match(/'digest,'edge:.*\n: cdrwa\n'world,'anyone\n: r\n/g)?.length, 2, acls);
  });
});

describe('an edge', { concurrency: true }, () => {
  test('has its session in the registry process, and loses it when that ends', async (t) => {
    const observer = await directSession(zookeeper.address);
    await becomes(observer, 'connected');
    const stop = new AbortController();
    const registry = createProcessRegistry(registrySettings(zookeeper.address), quietLogger, { fleetRoot: '/edge' });
    const running = registry.run(new RecordingSink(), stop.signal);
    t.after(async () => {
      stop.abort();
      await Promise.all([running, observer.close()]);
    });
    const session = registry.fleet;
    assert.ok(session);
    await becomes(session, 'connected');
    assert.equal(session.isAlive(), true);
    assert.equal(await session.create('/edge/edges/here/a', 'me', 'ephemeral'), '/edge/edges/here/a');
    assert.equal((await session.get('/edge/edges/here/a'))?.mine, true);
    let seen: readonly string[] | undefined;
    session.watch('/edge/edges/here', 'children', async () => {
      seen = await session.children('/edge/edges/here').catch(() => undefined);
    });
    await waitFor(() => seen?.length === 1);
    await observer.create('/edge/edges/here/b', 'other', 'ephemeral');
    await waitFor(() => seen?.length === 2);
    const lost = becomes(session, 'lost');
    process.kill(registry.pid ?? 0, 'SIGKILL');
    await lost;
    assert.equal(session.isAlive(), false);
    await becomes(session, 'connected');
    // The watch goes on in the next process: the old session's node goes when it expires.
    await waitFor(() => seen?.length === 1);
    await session.create('/edge/edges/here/a', 'me again', 'ephemeral');
    stop.abort();
    await running;
    // A session that is closed keeps nothing.
    assert.equal(await observer.get('/edge/edges/here/a'), undefined);
  });
});

describe('the leader of a site', { concurrency: true }, () => {
  test('stands still, or its registry process does: another one leads, and it notices before it acts', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-leader-'));
    const log = join(folder, 'acts');
    const entry = join(packageRoot, 'dist/test/support/candidate-entry.js');
    const candidates = ['a', 'b', 'c'].map((name) => fork(entry, [zookeeper.address, log, name], { execArgv: [] }));
    t.after(async () => {
      await Promise.all(
        candidates.map(async (each) => {
          const gone = once(each, 'exit');
          each.kill('SIGCONT');
          each.kill('SIGKILL');
          await gone;
        }),
      );
      rmSync(folder, { recursive: true, force: true });
    });
    await waitFor(() => tokensIn(log).length === 1, { what: 'a leader' });
    /** Stops what leads now (of each line, the process at this place), and goes on with it once another one leads. */
    const pause = async (place: 2 | 3) => {
      const known = tokensIn(log).length;
      const pid = Number(linesOf(log).at(-1)?.split(' ')[place]);
      process.kill(pid, 'SIGSTOP');
      const stoppedAt = performance.now();
      await waitFor(() => tokensIn(log).length > known, { what: 'another leader' });
      t.diagnostic(`another one led after ${Math.round(performance.now() - stoppedAt)} ms of a session of 3000 ms`);
      // Longer than its session in any case.
      await waitFor(() => performance.now() - stoppedAt > 3_500, { deadline: 60_000 });
      const acts = linesOf(log).length;
      process.kill(pid, 'SIGCONT');
      await waitFor(() => linesOf(log).length > acts + 50, { what: 'acts of the new leader' });
    };
    await pause(2);
    await pause(3);
    assertOneAtATime(log);
  });
});
