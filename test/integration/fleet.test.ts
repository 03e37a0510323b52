// The session of a fleet and what is agreed by it, on a real ZooKeeper.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { becomes, directSession } from '../support/fleet-sessions.js';
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
    await session.create('/owned/a', 'data', 'ephemeral');
    assert.equal((await stranger.get('/owned/a'))?.data, 'data');
    await assert.rejects(stranger.set('/owned/a', 'other', 0), { kind: 'denied' });
    await assert.rejects(stranger.create('/owned/b', '', 'ephemeral'), { kind: 'denied' });
    await assert.rejects(stranger.remove('/owned/a'), { kind: 'denied' });
    const acls = await zkCli(zookeeper.address, 'getAcl /owned', 'getAcl /owned/a');
    assert.equal(acls.match(/'digest,'edge:.*\n: cdrwa\n'world,'anyone\n: r\n/g)?.length, 2, acls);
  });
});
