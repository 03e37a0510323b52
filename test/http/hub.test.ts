// Data planes as edges of one site, in the test's own process: what one owns, the others take from it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openListeningSocket } from '../../src/cluster/listening-socket.js';
import type { ConfigInput } from '../../src/config-schema.js';
import { createDataPlane } from '../../src/data-plane/data-plane.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import type { Endpoint } from '../../src/model.js';
import { type Member, ownerOf, owningEdge, type SiteEdge } from '../../src/sharding/owner.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane, testConfig } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const secret = 'a-secret-of-thirty-two-characters';

interface Edge extends SiteEdge {
  readonly server: TestDataPlane;
}

async function edge(name: string, fleet: ConfigInput['fleet'] = {}): Promise<Edge> {
  const server = await startDataPlane({ workers: 0, fleet: { hub: true, secret, ...fleet } });
  cleanups.push(() => server.close());
  const address = await server.plane.listenForEdges('127.0.0.1:0');
  return { name, address: `127.0.0.1:${address?.port}`, server };
}

function serveTogether(edges: readonly Edge[], those: readonly SiteEdge[] = edges): void {
  for (const { name, server } of edges) server.plane.setSite({ self: name, edges: those });
}

async function startSite(...endpoints: Endpoint[]): Promise<readonly Edge[]> {
  const edges = await Promise.all(['a', 'b', 'c'].map((name) => edge(name)));
  for (const { server } of edges) server.register(...endpoints);
  serveTogether(edges);
  return edges;
}

/** The edges in the order in which they would own the channel. */
function ranked(channel: string, edges: readonly Edge[]): Edge[] {
  const left = [...edges];
  const order: Edge[] = [];
  for (let owner = owningEdge(channel, left); owner !== undefined; owner = owningEdge(channel, left)) {
    order.push(...left.splice(left.indexOf(owner as Edge), 1));
  }
  return order;
}

async function liveOrigin(): Promise<LiveOrigin> {
  const origin = await LiveOrigin.start();
  cleanups.push(() => origin.close());
  return origin;
}

async function viewersOf(edges: readonly Edge[]): Promise<FlvViewer[]> {
  const viewers = edges.map(({ server }) => FlvViewer.open(`${server.url}/live/news.flv`));
  for (const viewer of viewers) cleanups.push(() => viewer.leave());
  await waitFor(() => viewers.every(({ keyframes }) => keyframes.length > 0), { what: 'a picture for each' });
  return viewers;
}

const sources = (edges: readonly Edge[]) => edges.map(({ server }) => server.plane.relays()[0]?.endpoint);
async function goOn(viewers: readonly FlvViewer[], what: string): Promise<void> {
  const before = viewers.map(({ media }) => media.length);
  await waitFor(() => viewers.every(({ media }, index) => media.length > (before[index] ?? 0) + 20), { what });
  for (const viewer of viewers) {
    assert.equal(viewer.ended, false);
    assert.equal(viewer.headers, 1);
    assert.deepEqual(viewer.stepsBack(), []);
  }
}

test('a site pulls a stream once, and viewers of all its edges see it', async () => {
  const origin = await liveOrigin();
  const edges = await startSite(endpoint('news', origin.address));
  const [owner, ...others] = ranked('news', edges);
  const viewers = await viewersOf(edges);
  assert.equal(origin.pulls, 1);
  assert.deepEqual(
    sources(others),
    others.map(() => `http://~edge.${owner?.name}:1`),
  );
  assert.deepEqual(
    others.map(({ server }) => server.plane.relays()[0]?.from_edge),
    [true, true],
  );
  await goOn(viewers, 'the stream');
  const [other] = others;
  if (other === undefined) throw new Error('no other edge');
  other.server.plane.collect();
  assert.ok((await metricValue(other.server.metrics, 'weir_hub_received_bytes_total')) > 0);
  assert.equal(await metricValue(other.server.metrics, 'weir_hub_relays'), 1);
  assert.equal(await metricValue(other.server.metrics, 'weir_relays'), 0);
  assert.equal(await metricValue(other.server.metrics, 'weir_upstream_received_bytes_total'), 0);
});

test('the owner dies while it is still listed: the others go on, from the next one or the origin, then from one of them', async () => {
  const origin = await liveOrigin();
  const edges = await startSite(endpoint('news', origin.address));
  const [owner, ...others] = ranked('news', edges);
  const viewers = await viewersOf(others);
  await owner?.server.close();
  await goOn(viewers, 'the stream without its owner');
  // Both have found out, and agree on the next one.
  await waitFor(
    () => sources(others)[0] === origin.address && sources(others)[1] === `http://~edge.${others[0]?.name}:1`,
    {
      what: 'one pull for both',
    },
  );
  await goOn(viewers, 'the stream of the next owner');
});

test('an edge that joins takes over its channels, and one that is no longer listed loses them, without a seam', async () => {
  const origin = await liveOrigin();
  const edges = await startSite(endpoint('news', origin.address));
  const [owner, next, last] = ranked('news', edges);
  if (owner === undefined || next === undefined || last === undefined) throw new Error('three edges');
  serveTogether(edges, [next, last]);
  const viewers = await viewersOf([next, last]);
  assert.deepEqual(sources([next, last]), [origin.address, `http://~edge.${next.name}:1`]);
  serveTogether(edges);
  const fromOwner = `http://~edge.${owner.name}:1`;
  await waitFor(() => sources([next, last]).every((source) => source === fromOwner), {
    what: 'the channel at its owner',
  });
  await waitFor(() => origin.viewers === 1, { what: 'one pull again' });
  serveTogether(edges, [next, last]);
  await waitFor(() => sources([next])[0] === origin.address, { what: 'the channel at the next one' });
  await goOn(viewers, 'the stream');
});

test('an edge that drains sends the others elsewhere, though it is still listed', async () => {
  const origin = await liveOrigin();
  const edges = await Promise.all(['a', 'b'].map((name) => edge(name)));
  for (const { server } of edges) server.register(endpoint('news', origin.address));
  serveTogether(edges);
  const [owner, other] = ranked('news', edges);
  if (owner === undefined || other === undefined) throw new Error('two edges');
  const viewers = await viewersOf([other]);
  owner.server.plane.configure({ ...owner.server.config, shutdown: { ...owner.server.config.shutdown, grace: 50 } });
  await owner.server.plane.drain();
  await goOn(viewers, 'the stream from the origin');
  assert.deepEqual(sources([other]), [origin.address]);
});

test('edges of another secret, and what is no edge at all, are passed by: every edge then pulls by itself', async () => {
  const origin = await liveOrigin();
  const [a, b] = [await edge('a'), await edge('b', { secret: 'another-secret-of-so-many-characters' })];
  for (const { server } of [a, b]) server.register(endpoint('news', origin.address));
  serveTogether([a, b], [a, b, { name: 'c', address: '127.0.0.1:1' }]);
  const viewers = await viewersOf([a, b]);
  assert.deepEqual(sources([a, b]), [origin.address, origin.address]);
  await goOn(viewers, 'the stream');
  const refused = async () =>
    (await metricValue(a.server.metrics, 'weir_hub_connections_total', { outcome: 'refused' })) +
    (await metricValue(b.server.metrics, 'weir_hub_connections_total', { outcome: 'refused' }));
  assert.ok((await refused()) > 0);
});

test('without fleet.hub every edge pulls by itself', async () => {
  const origin = await liveOrigin();
  const edges = await Promise.all(['a', 'b', 'c'].map((name) => edge(name, { hub: false })));
  for (const { server } of edges) server.register(endpoint('news', origin.address));
  serveTogether(edges);
  await viewersOf(edges);
  assert.equal(origin.pulls, 3);
});

test('another edge may come in at any worker: the stream is handed on from the one that owns it', async () => {
  const origin = await liveOrigin();
  const folder = mkdtempSync(join(tmpdir(), 'weir-hub-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const members: Member[] = [0, 1].map((slot) => ({
    slot,
    name: `worker-${slot}`,
    socket: join(folder, `${slot}.sock`),
  }));
  // Edge `a`, whose two workers let others in at ports of their own, so that the test knows who is asked.
  const workers = await Promise.all(
    members.map(async (self) => {
      const identity = { edge: 'test', machineSecret: 'machine', self };
      const metrics = createMetrics({ process: false });
      const plane = createDataPlane(testConfig({ fleet: { hub: true, secret } }), silentLogger, metrics, identity);
      const socket = await openListeningSocket('127.0.0.1:0');
      cleanups.push(async () => {
        await plane.close();
        socket.close();
      });
      plane.accept({ kind: 'full', revision: 1, state: 'live', endpoints: [endpoint('news', origin.address)] });
      await plane.listenOnShared(socket.handle);
      plane.setMembers(members);
      plane.setSite({ self: 'a', edges: [{ name: 'a', address: '' }] });
      return { plane, address: await plane.listenForEdges('127.0.0.1:0') };
    }),
  );
  const slot = ownerOf('news', members)?.slot ?? 0;
  const [owner, other] = [workers[slot], workers[1 - slot]];
  const b = await edge('b');
  b.server.register(endpoint('news', origin.address));
  b.server.plane.setSite({ self: 'b', edges: [{ name: 'a', address: `127.0.0.1:${other?.address?.port}` }] });
  const viewers = await viewersOf([b]);
  assert.deepEqual(sources([b]), ['http://~edge.a:1']);
  assert.equal(origin.pulls, 1);
  assert.equal(owner?.plane.relays()[0]?.viewers.workers, 1);
  assert.deepEqual(other?.plane.relays(), [], 'no relay between');
  // The worker that owns it drains: the other one, which is asked, has it now.
  const left = members[1 - slot];
  other?.plane.setMembers(left === undefined ? [] : [left]);
  await owner?.plane.close();
  await goOn(viewers, 'the stream without that worker');
});
