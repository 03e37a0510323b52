// Two data planes as workers of one edge, in the test's own process: what one owns, the other takes from it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openListeningSocket } from '../../src/cluster/listening-socket.js';
import type { DataPlane } from '../../src/data-plane/contract.js';
import { createDataPlane } from '../../src/data-plane/data-plane.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import type { Endpoint } from '../../src/model.js';
import { type Member, ownerOf } from '../../src/sharding/owner.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, testConfig } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import { SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

interface Worker {
  readonly plane: DataPlane;
  readonly member: Member;
  readonly url: string;
}

async function startWorkers(...endpoints: Endpoint[]): Promise<readonly [Worker, Worker]> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-sharded-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const start = async (slot: number): Promise<Worker> => {
    const member = { slot, name: `worker-${slot}`, socket: join(folder, `${slot}.sock`) };
    const identity = { edge: 'test', machineSecret: 'machine', self: member };
    const plane = createDataPlane(testConfig(), silentLogger, createMetrics({ process: false }), identity);
    const socket = await openListeningSocket('127.0.0.1:0');
    cleanups.push(async () => {
      await plane.close();
      socket.close();
    });
    plane.accept({ kind: 'full', revision: 1, state: 'live', endpoints });
    await plane.listenOnShared(socket.handle);
    return { plane, member, url: `http://127.0.0.1:${socket.address.port}` };
  };
  const workers = [await start(0), await start(1)] as const;
  serveTogether(workers);
  return workers;
}

function serveTogether(workers: readonly Worker[]): void {
  const members = workers.map(({ member }) => member);
  for (const { plane } of workers) plane.setMembers(members);
}

/** The worker that owns the channel, and the other one. */
function parted(channel: string, workers: readonly [Worker, Worker]): readonly [Worker, Worker] {
  const owner = ownerOf(
    channel,
    workers.map(({ member }) => member),
  );
  return owner?.slot === 0 ? workers : [workers[1], workers[0]];
}

test('a live stream is pulled once, and viewers of either worker see it', async () => {
  const origin = await LiveOrigin.start();
  cleanups.push(() => origin.close());
  const workers = await startWorkers(endpoint('news', origin.address));
  const [owner, other] = parted('news', workers);
  const viewers = [other, owner].map(({ url }) => FlvViewer.open(`${url}/live/news.flv`));
  for (const viewer of viewers) cleanups.push(() => viewer.leave());
  await waitFor(() => viewers.every(({ tags }) => tags.some(({ keyframe }) => keyframe)), { what: 'two pictures' });
  assert.equal(origin.pulls, 1);
  assert.deepEqual(
    [owner, other].map(({ plane }) => plane.relays().map((relay) => relay.from_worker)),
    [[false], [true]],
  );
});

test('HLS is asked of the worker that owns the channel, and the session is there alone', async () => {
  const packager = await new SimulatedPackager({ name: 'one' }).start();
  cleanups.push(() => packager.close());
  const workers = await startWorkers(endpoint('news', packager.address));
  const [owner, other] = parted('news', workers);
  const playlist = async ({ url }: Worker) => (await fetch(`${url}/live/news.m3u8`)).text();
  assert.equal(await playlist(other), await playlist(owner));
  assert.deepEqual(
    [owner, other].map(({ plane }) => plane.hls().sessions.length),
    [1, 0],
  );
});

test('a worker that is left alone goes to the endpoints for all channels, and goes on with their sessions', async () => {
  const packager = await new SimulatedPackager({ name: 'one' }).start();
  cleanups.push(() => packager.close());
  const workers = await startWorkers(endpoint('news', packager.address));
  const [owner, other] = parted('news', workers);
  const playlist = async ({ url }: Worker) => (await fetch(`${url}/live/news.m3u8`)).text();
  const before = await playlist(other);
  const states = owner.plane.newHlsStates();
  await owner.plane.close();
  other.plane.adoptHls(states);
  serveTogether([other]);
  assert.equal(await playlist(other), before);
  assert.equal(other.plane.hls().sessions.length, 1);
});
