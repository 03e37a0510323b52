// Health checks by the leader of a site: real edges, origins that are well and one that is not, and no player.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';
import { serveWeir } from '../support/weir.js';
import { startZooKeeper, writeNodes } from '../support/zookeeper.js';

/** An origin of one channel; its answers by path. */
async function startOrigin(answers: Readonly<Record<string, () => Buffer | string>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers[path];
    response.writeHead(answer === undefined ? 404 : 200);
    // A live stream goes on.
    if (path.endsWith('.flv') && answer !== undefined) response.write(answer());
    else response.end(answer?.());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { asked, stop, address: `http://127.0.0.1:${port}/app/news` };
}

const metricsOf = async (admin: string) => (await fetch(`${admin}/metrics`)).text();
const sampleOf = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);

test('an origin that is down is ejected by all edges of the site before a player finds out', async (t) => {
  let sequence = 0;
  const hls = await startOrigin({
    '/app/news.m3u8': () => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${sequence++}\n#EXTINF:2,\na.ts\n`,
  });
  const flv = await startOrigin({
    '/app/news.flv': () => Buffer.concat([Buffer.from('FLV\x01\x05\0\0\0\x09', 'latin1'), Buffer.alloc(64)]),
  });
  t.after(() => Promise.all([hls.stop(), flv.stop()]));
  const zookeeper = await startZooKeeper();
  t.after(() => zookeeper.stop());
  const down = `http://127.0.0.1:${await closedPort()}/app/news`;
  await writeNodes(zookeeper.address, [
    { path: '/channels', data: '' },
    { path: '/channels/news', data: '' },
    ...[hls.address, flv.address, down].map((address, i) => ({
      path: `/channels/news/${i}`,
      data: JSON.stringify({ service_address: address }),
    })),
  ]);
  const settings = ['fleet.health.mode=auto', 'fleet.health.interval=1s', 'balancer.outlier.consecutiveFailures=2'];
  const start = () =>
    serveWeir(
      '--zookeeper',
      zookeeper.address,
      ...['workers=1', 'upstream.allow=127.0.0.0/8', ...settings].flatMap((one) => ['--set', one]),
    );
  const edges = await Promise.all([start(), start()]);
  t.after(() => Promise.all(edges.map((edge) => edge.stop())));
  const ejected = 'weir_ejections_total\\{cause="connect_error"\\}';
  const texts = () => Promise.all(edges.map(({ admin }) => metricsOf(admin)));
  await waitFor(async () => (await texts()).every((text) => sampleOf(text, ejected) >= 1), {
    deadline: 60_000,
    interval: 200,
    what: 'both edges to eject the origin that is down',
  });
  const found = await texts();
  // One leads, and asks for all.
  assert.equal(
    found.reduce((sum, text) => sum + sampleOf(text, 'weir_fleet_leader'), 0),
    1,
  );
  assert.equal(found.filter((text) => sampleOf(text, 'weir_health_probes_total\\{outcome="failed"\\}') > 0).length, 1);
  assert.equal(
    found.reduce((sum, text) => sum + sampleOf(text, 'weir_health_probes_total\\{outcome="unknown"\\}'), 0),
    0,
  );
  assert.ok(hls.asked.every((path) => path === '/app/news.m3u8'));
  assert.ok(flv.asked.includes('/app/news.flv'));
});
