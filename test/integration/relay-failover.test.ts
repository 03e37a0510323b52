// The relay in front of origins that are processes of their own and are killed, frozen and deregistered.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { type OriginProcess, spawnOrigin } from '../support/origin-process.js';
import { longestStandstill } from '../support/standstill.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
/** How long this process, with the edge and the viewers in it, stood still at most: no pause of the relay's making. */
const standstill = longestStandstill();

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane(overrides);
  cleanups.push(() => started.close());
  return started;
}
async function origin(name: string): Promise<OriginProcess> {
  const started = await spawnOrigin(name, 'news');
  cleanups.push(() => started.kill());
  return started;
}
/** Half of the viewers over HTTP, half over WebSocket; returns when all have a keyframe. */
async function audience(weir: TestDataPlane, count: number): Promise<FlvViewer[]> {
  const viewers = Array.from({ length: count }, (_, index) =>
    FlvViewer.open(`${index % 2 === 0 ? 'http' : 'ws'}://127.0.0.1:${weir.port}/live/news.flv`),
  );
  cleanups.push(() => {
    for (const viewer of viewers) viewer.leave();
  });
  await waitFor(() => viewers.every((viewer) => viewer.keyframes.length > 0), {
    what: 'the first keyframes',
    deadline: 120_000,
  });
  return viewers;
}
/** Keyframes of the simulated origins are this far apart, in ms. */
const group = 2_000;

/** @param since monotonic ms: what the many who joined cost each other before is not looked at */
function assertUndisturbed(viewers: readonly FlvViewer[], pause: number, since: number): void {
  for (const viewer of viewers) {
    assert.equal(viewer.error, undefined);
    assert.equal(viewer.ended, false, 'the connection lives');
    assert.equal(viewer.headers, 1, 'one FLV header');
    assert.deepEqual(viewer.stepsBack(), []);
    const excused = standstill();
    const paused = viewer.longestPause(since);
    assert.ok(paused < pause + excused, `paused for ${paused} ms; this process stood still for ${excused} ms`);
    // Media may be missing for as long as the pause was, and for a frame's length.
    const most = viewer.longestPause() + excused + 150;
    for (const type of [8, 9]) assert.ok(viewer.largestGap(type) <= most, `gap on track ${type}`);
  }
}
const endpointNow = (weir: TestDataPlane) => weir.plane.relays()[0]?.endpoint;
const media = (viewers: readonly FlvViewer[]) => viewers.map((viewer) => viewer.media.length);
async function goesOn(viewers: readonly FlvViewer[]): Promise<void> {
  const before = media(viewers);
  await waitFor(() => viewers.every((viewer, index) => viewer.media.length > (before[index] ?? 0) + 50), {
    what: 'more media for everybody',
  });
}

describe('200 viewers, HTTP and WebSocket', () => {
  test('an origin killed with -9: all connections live, and the pause is short', async () => {
    const [a, b] = [await origin('a'), await origin('b')];
    const weir = await edge();
    weir.register(endpoint('news', a.address, { load: 0 }), endpoint('news', b.address, { load: 0.9 }));
    const viewers = await audience(weir, 200);
    assert.equal(endpointNow(weir), a.address);
    await goesOn(viewers);
    const since = performance.now();
    await a.kill();
    await waitFor(() => endpointNow(weir) === b.address, { what: 'the failover' });
    await goesOn(viewers);
    assertUndisturbed(viewers, 1_000 + group, since);
    assert.equal(weir.plane.relays()[0]?.failovers, 1);
  });

  test('a frozen origin: the same after the stall timeout', async () => {
    const [a, b] = [await origin('a'), await origin('b')];
    const weir = await edge();
    weir.register(endpoint('news', a.address, { load: 0 }), endpoint('news', b.address, { load: 0.9 }));
    const viewers = await audience(weir, 200);
    await goesOn(viewers);
    const since = performance.now();
    a.signal('SIGSTOP');
    cleanups.push(() => a.signal('SIGCONT'));
    await waitFor(() => endpointNow(weir) === b.address, { what: 'the failover' });
    await goesOn(viewers);
    assertUndisturbed(viewers, weir.config.relay.stallTimeout + 1_000 + group, since);
    assert.equal(await metricValue(weir.metrics, 'weir_relay_failovers_total', { cause: 'stall' }), 1);
  });

  test('a deregistered endpoint that lives: no pause that a second of buffer does not cover', async () => {
    const [a, b] = [await origin('a'), await origin('b')];
    const weir = await edge();
    weir.register(endpoint('news', a.address, { load: 0 }), endpoint('news', b.address, { load: 0.9 }));
    const viewers = await audience(weir, 200);
    await goesOn(viewers);
    const since = performance.now();
    weir.register(endpoint('news', b.address, { load: 0.9 }));
    await waitFor(() => endpointNow(weir) === b.address, { what: 'the switch' });
    await goesOn(viewers);
    assertUndisturbed(viewers, 1_000, since);
    for (const viewer of viewers) assert.ok(viewer.largestGap(9) <= 150 + standstill(), 'nothing is missing');
    assert.equal(await metricValue(weir.metrics, 'weir_relay_failovers_total', { cause: 'deregistered' }), 1);
  });
});

test('after a standstill of the edge itself its origins are not taken for silent', async () => {
  const [a, b] = [await origin('a'), await origin('b')];
  const weir = await edge({ relay: { stallTimeout: '1s' } });
  weir.register(endpoint('news', a.address, { load: 0 }), endpoint('news', b.address, { load: 0.9 }));
  const viewers = await audience(weir, 4);
  await goesOn(viewers);
  const until = performance.now() + 2_000;
  while (performance.now() < until);
  await goesOn(viewers);
  assert.equal(endpointNow(weir), a.address);
  assert.equal(weir.plane.relays()[0]?.failovers, 0);
});

describe('no endpoint', () => {
  test('viewers are held, newcomers get 503 at once, and a republish goes on in the same connections', async () => {
    const a = await origin('a');
    const weir = await edge();
    weir.register(endpoint('news', a.address));
    const viewers = await audience(weir, 4);
    // Its start must not take from the time for which viewers are held.
    const again = await origin('again');
    const since = performance.now();
    weir.register();
    await a.kill();
    await waitFor(() => weir.plane.relays()[0]?.state === 'holding', { what: 'the loss' });
    const asked = performance.now();
    const newcomer = FlvViewer.open(`${weir.url}/live/news.flv`);
    await waitFor(() => newcomer.status);
    assert.equal(newcomer.status, 503);
    assert.ok(performance.now() - asked < 1_000 + standstill());
    weir.register(endpoint('news', again.address));
    await goesOn(viewers);
    assertUndisturbed(viewers, 10_000, since);
  });

  test('without a republish the viewers are closed cleanly after the grace', async () => {
    const a = await origin('a');
    const weir = await edge({ relay: { grace: '1s' } });
    weir.register(endpoint('news', a.address));
    const viewers = await audience(weir, 4);
    weir.register();
    await a.kill();
    await waitFor(() => viewers.every((viewer) => viewer.ended), { what: 'the end' });
    for (const viewer of viewers) assert.equal(viewer.error, undefined);
    assert.deepEqual(weir.plane.relays(), []);
  });

  test('a live upstream that nobody registers any more goes on for the grace, and stays when it comes back', async () => {
    const a = await origin('a');
    const weir = await edge({ relay: { grace: '3s' } });
    weir.register(endpoint('news', a.address));
    const viewers = await audience(weir, 4);
    const since = performance.now();
    weir.register();
    await sleep(1_000);
    weir.register(endpoint('news', a.address, { id: 'again' as never }));
    await sleep(2_500);
    await goesOn(viewers);
    assertUndisturbed(viewers, 1_000, since);
    assert.equal(weir.plane.relays()[0]?.failovers, 0);
  });
});
