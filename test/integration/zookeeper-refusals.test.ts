// A real ZooKeeper that takes no more clients from this address.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { live, runRegistry } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { startZooKeeper } from '../support/zookeeper.js';

test('a session that maxClientCnxns refuses is told with what to do, and comes once there is room', async (t) => {
  const zookeeper = await startZooKeeper({ lines: ['maxClientCnxns=1'] });
  t.after(() => zookeeper.stop());
  // The one client that is allowed: it says nothing, and the server waits for it.
  const other = connect(Number(zookeeper.address.split(':')[1]), '127.0.0.1');
  t.after(() => other.destroy());
  await once(other, 'connect');
  const running = runRegistry(t, { servers: zookeeper.address });
  const { notes } = running.sink;
  const why = () => notes.find((note) => note.kind === 'unreached');
  await waitFor(() => why() !== undefined, { deadline: 60_000, what: 'the reason' });
  assert.match(JSON.stringify(why()), /closes connections at once: its maxClientCnxns may allow too few/);
  const sessions = () => notes.filter((note) => note.kind === 'sessions').at(-1);
  assert.deepEqual(sessions(), { kind: 'sessions', open: 0, wanted: 1 });
  other.destroy();
  await live(running);
  assert.deepEqual(sessions(), { kind: 'sessions', open: 1, wanted: 1 });
});
