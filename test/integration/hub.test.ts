// Edges of one site as processes, in front of one origin: the site pulls a stream once, and viewers of the other edges do not
// notice that the edge which pulls is killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Origin, startOrigin } from '../../src/demo/origin.js';
import { owningEdge } from '../../src/sharding/owner.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { closedPort } from '../support/ports.js';
import { longestStandstill } from '../support/standstill.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { scraped } from '../support/workers.js';
import { startZooKeeper, writeNodes, type ZooKeeperServer } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();
const standstill = longestStandstill();

interface Edge {
  readonly name: string;
  readonly address: string;
  readonly process: WeirProcess;
}

interface SiteOptions {
  readonly workers?: number;
  readonly hub?: boolean;
  /** Where the edges meet; else each is told of the others. */
  readonly zookeeper?: ZooKeeperServer;
}

async function startSite(
  names: readonly string[],
  { workers = 0, hub = true, zookeeper }: SiteOptions,
): Promise<{ origin: Origin; edges: Edge[] }> {
  const origin = await startOrigin({ channels: ['news'] });
  cleanups.push(() => origin.close());
  const places = await Promise.all(names.map(async (name) => ({ name, address: `127.0.0.1:${await closedPort()}` })));
  const peers = places.map(({ name, address }) => `${name}@${address}`).join(',');
  if (zookeeper !== undefined) await writeNodes(zookeeper.address, nodes(origin));
  process.env['WEIR_FLEET_SECRET'] = 'a-secret-of-the-fleet-that-is-long-enough';
  const start = async ({ name, address }: { name: string; address: string }): Promise<Edge> => {
    const settings = {
      workers,
      'fleet.hub': hub,
      'fleet.name': name,
      'fleet.peerListen': address,
      ...(zookeeper === undefined ? { 'fleet.peers': peers } : { 'registry.zookeeper.sessionTimeout': '2s' }),
    };
    const words = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const source =
      zookeeper === undefined ? ['--origin', `news=http://${origin.address}`] : ['--zookeeper', zookeeper.address];
    const started = await serveWeir(...source, ...words);
    cleanups.push(() => started.stop());
    return { name, address, process: started };
  };
  return { origin, edges: await Promise.all(places.map(start)) };
}

const nodes = ({ address }: Origin) => [
  { path: '/channels', data: '' },
  { path: '/channels/news', data: '' },
  { path: '/channels/news/origin', data: address },
];

async function viewersOf(edges: readonly Edge[], each: number): Promise<FlvViewer[]> {
  const viewers = edges.flatMap(({ process: { players } }) =>
    Array.from({ length: each }, (_, index) =>
      FlvViewer.open(`${index % 2 === 0 ? players : players.replace('http', 'ws')}/live/news.flv`),
    ),
  );
  cleanups.push(() => {
    for (const viewer of viewers) viewer.leave();
  });
  await waitFor(() => viewers.every(({ keyframes }) => keyframes.length > 0), { what: 'a picture for each' });
  return viewers;
}

function parted(edges: readonly Edge[]): { readonly owner: Edge; readonly others: readonly Edge[] } {
  const owner = owningEdge('news', edges) as Edge | undefined;
  if (owner === undefined) throw new Error('no edges');
  return { owner, others: edges.filter((edge) => edge !== owner) };
}

/** The stream goes on for all, for more than a group of pictures, as if nothing had been. */
async function assertUndisturbed(viewers: readonly FlvViewer[], pauseMs: number): Promise<void> {
  const before = viewers.map(({ media }) => media.length);
  const goOn = () => viewers.every(({ media, ended }, index) => ended || media.length > (before[index] ?? 0) + 100);
  await waitFor(goOn, { what: 'the stream' });
  for (const viewer of viewers) {
    assert.equal(viewer.error, undefined);
    assert.equal(viewer.ended, false, 'the connection lives');
    assert.equal(viewer.headers, 1, 'one FLV header');
    assert.deepEqual(viewer.stepsBack(), []);
    const paused = viewer.longestPause();
    assert.ok(paused < pauseMs + standstill(), `paused for ${paused} ms`);
    // ms of media. An origin begins with its newest keyframe: what came before it, while nobody pulled, is nowhere else.
    assert.ok(viewer.largestGap(9) < paused + 200, `${viewer.largestGap(9)} ms of media are missing`);
  }
}

test('three edges that meet in ZooKeeper: one pull at the origin; the owner is killed, and the others go on without a gap', async () => {
  const zookeeper = await startZooKeeper();
  cleanups.push(() => zookeeper.stop());
  const { origin, edges } = await startSite(['a', 'b', 'c'], { zookeeper });
  const { owner, others } = parted(edges);
  const viewers = await viewersOf(others, 4);
  const fromOwner = async () => {
    const taken = await Promise.all(others.map(({ process: each }) => scraped(each, 'weir_hub_relays')));
    return origin.viewers === 1 && taken.every((streams) => streams === 1);
  };
  await waitFor(fromOwner, { what: 'the edges to know each other, and one pull' });
  await viewersOf([owner], 4);
  assert.equal(origin.viewers, 1);
  owner.process.child.kill('SIGKILL');
  // Keyframes of the simulated origins are two seconds apart.
  await assertUndisturbed(viewers, 3_000);
  await waitFor(() => origin.viewers === 1, { what: 'one pull for both that are left' });
  await assertUndisturbed(viewers, 3_000);
});

test('edges of two workers each: one pull, whichever worker is asked and whichever owns the channel', async () => {
  const { origin, edges } = await startSite(['a', 'b'], { workers: 2 });
  const { owner, others } = parted(edges);
  // Enough that all workers have some.
  const viewers = await viewersOf(others, 12);
  await viewersOf([owner], 12);
  assert.equal(origin.viewers, 1);
  owner.process.child.kill('SIGKILL');
  await assertUndisturbed(viewers, 3_000);
  assert.equal(origin.viewers, 1);
});
