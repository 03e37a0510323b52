// Where the edges of a site let each other in, as they say it in ZooKeeper.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgePath } from '../../src/fleet/edge-paths.js';
import { type EdgeNode, encodeEdge } from '../../src/fleet/edge-record.js';
import { peerAddress } from '../../src/fleet/own-address.js';
import { SitePeers } from '../../src/fleet/site-peers.js';
import { FakeEnsemble } from '../support/fake-ensemble.js';
import { HandClock } from '../support/hand-clock.js';

const node = (name: string, run = 1): EdgeNode => ({ name, run: run.toString(16).padStart(8, '0') });

function setUp() {
  const ensemble = new FakeEnsemble();
  const session = ensemble.session();
  session.connect();
  const clock = new HandClock();
  let changes = 0;
  const peers = new SitePeers({ session, root: '/weir', site: 'eu', clock, changed: () => changes++ });
  const put = (edge: EdgeNode, address: string | undefined, started = '2026-01-01T00:00:00.000Z') => {
    const facts = { version: '1', started, players: 'http://10.0.0.1:80', workers: 1, viewers: 0, kbps: 0 };
    ensemble.put(edgePath('/weir', 'edges', 'eu', edge), String(encodeEdge({ ...facts, peers: address })), undefined);
  };
  return { ensemble, session, clock, peers, put, changes: () => changes };
}

test('each edge is read once, and those that let nobody in are none', async () => {
  const { ensemble, clock, peers, put } = setUp();
  put(node('a'), 'http://10.0.0.1:8082');
  put(node('b'), undefined);
  put(node('c'), 'http://[fd00::3]:8082');
  peers.set([node('a'), node('b'), node('c')]);
  await clock.pass(0);
  const reads = ensemble.asked.reads;
  peers.set([node('c'), node('b'), node('a')]);
  await clock.pass(60_000);
  assert.equal(ensemble.asked.reads, reads);
  assert.deepEqual(
    [...peers.peers].sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'a', address: '10.0.0.1:8082' },
      { name: 'c', address: '[fd00::3]:8082' },
    ],
  );
});

test('an edge that is gone is gone at once, and one that was started again is where it says now', async () => {
  const { clock, peers, put, changes } = setUp();
  put(node('a', 1), 'http://10.0.0.1:8082', '2026-01-01T00:00:00.000Z');
  put(node('a', 2), 'http://10.0.0.1:9000', '2026-01-01T00:10:00.000Z');
  put(node('b'), 'http://10.0.0.2:8082');
  peers.set([node('a', 1), node('b')]);
  await clock.pass(0);
  const before = changes();
  peers.set([node('a', 1)]);
  assert.deepEqual([peers.peers, changes()], [[{ name: 'a', address: '10.0.0.1:8082' }], before + 1]);
  peers.set([node('a', 2), node('a', 1)]);
  await clock.pass(0);
  assert.deepEqual(peers.peers, [{ name: 'a', address: '10.0.0.1:9000' }]);
});

test('what cannot be read is read again, and nothing is said meanwhile', async () => {
  const { session, clock, peers, put, changes } = setUp();
  put(node('a'), 'http://10.0.0.1:8082');
  session.suspend();
  peers.set([node('a')]);
  await clock.pass(1_000);
  assert.deepEqual([peers.peers, changes()], [[], 0]);
  session.connect(false);
  await clock.pass(20_000);
  assert.deepEqual(peers.peers, [{ name: 'a', address: '10.0.0.1:8082' }]);
  peers.close();
});

test('only an address of a host and a port is believed', () => {
  assert.equal(peerAddress('http://edge-1.example:8082'), 'edge-1.example:8082');
  for (const wrong of [
    undefined,
    'http://10.0.0.1',
    'https://10.0.0.1:8082',
    'http://10.0.0.1:8082/x',
    'http://user@10.0.0.1:8082',
    'http://~edge.a:1',
    'http://0x7f.1:80',
  ]) {
    assert.equal(peerAddress(wrong), undefined, wrong);
  }
});
