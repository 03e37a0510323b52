// What a data plane makes of its settings, its sisters and its registry.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigInput } from '../../src/config-schema.js';
import type { ChannelName } from '../../src/model.js';
import type { Member } from '../../src/sharding/owner.js';
import { endpoint, startDataPlane, testConfig } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

test('the policy counts the workers that serve, together with the configured edges', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-data-plane-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const member = (slot: number): Member => ({ slot, name: `w${slot}`, socket: join(folder, `${slot}.sock`) });
  const settings = (edges: number): ConfigInput => ({ relay: { enabled: false }, balancer: { edges } });
  const origin = await startHttpOrigin((_request, response) => response.write('endless'));
  t.after(() => origin.close());
  const weir = await startDataPlane(settings(2), { edge: 'test', machineSecret: 'machine', self: member(0) });
  t.after(() => weir.close());
  weir.register(
    endpoint('news', origin.address, { load: 0.4 }),
    endpoint('news', `http://${origin.address}/same`, { load: 0.4 }),
  );
  const player = new AbortController();
  await fetch(`${weir.url}/live/news.flv`, { signal: player.signal });
  t.after(() => player.abort());
  const deciders = () => {
    const { endpoints } = weir.plane.explain('news' as ChannelName) as {
      endpoints: { terms: { deciders: number } }[];
    };
    return endpoints[0]?.terms.deciders;
  };
  assert.equal(deciders(), 2);
  weir.plane.setMembers([member(0), member(1), member(2)]);
  assert.equal(deciders(), 6, 'three workers');
  weir.plane.configure(testConfig(settings(4)));
  assert.equal(deciders(), 12, 'and twice the edges');
  weir.plane.setMembers([member(0)]);
  assert.equal(deciders(), 4, 'alone again');
});

test('an address that changes in place is left by relays and HLS, which go on from the new one', async (t) => {
  const [oldLive, newLive] = await Promise.all([LiveOrigin.start(), LiveOrigin.start()]);
  const oldPackager = await new SimulatedPackager({ name: 'old' }).start();
  const newPackager = await new SimulatedPackager({ name: 'new', first: 100 }).start();
  const weir = await startDataPlane({ hls: { playlistMaxAge: '60s', playlistShare: 1 } });
  t.after(async () => {
    await weir.close();
    await Promise.all([oldLive.close(), newLive.close(), oldPackager.close(), newPackager.close()]);
  });
  const [film, news] = [endpoint('film', oldLive.address), endpoint('news', oldPackager.address)];
  weir.register(film, news);
  const viewer = FlvViewer.open(`${weir.url}/live/film.flv`);
  t.after(() => viewer.leave());
  await waitFor(() => viewer.tags.some((tag) => tag.keyframe), { what: 'a picture' });
  const playlist = async () => (await fetch(`${weir.url}/live/news.m3u8`)).text();
  const before = await playlist();

  const moved = { ...news, address: endpoint('news', newPackager.address).address };
  weir.register({ ...film, address: endpoint('film', newLive.address).address }, moved);
  // Neither waits for a reason of its own: the playlist would be good for a minute.
  await waitFor(async () => (await playlist()) !== before, { what: 'the playlist of the new address' });
  assert.ok(newPackager.requests.length > 0);
  await waitFor(() => newLive.viewers === 1 && oldLive.viewers === 0, { what: 'the relay at the new address' });
  assert.equal(viewer.ended, false);
});
