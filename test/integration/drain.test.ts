// An origin that says it drains: what plays leaves it without a seam, and it serves nobody soon after.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { explanationJson } from '../../src/balancer/explanation.js';
import type { ChannelName } from '../../src/model.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LivePlaylistChecker } from '../support/hls-checker.js';
import { spawnOrigin } from '../support/origin-process.js';
import { longestStandstill } from '../support/standstill.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
const standstill = longestStandstill();

/** An edge and two origins, of which it prefers the first. */
async function stage() {
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  const [a, b] = await Promise.all(['a', 'bb'].map((name) => spawnOrigin(name, 'news')));
  assert.ok(a !== undefined && b !== undefined);
  cleanups.push(
    () => a.kill(),
    () => b.kill(),
  );
  const second = endpoint('news', b.address, { load: 0.9 });
  const say = (version: number, draining?: true) => {
    const traits = draining === undefined ? {} : { draining };
    weir.register(endpoint('news', a.address, { load: 0, version, ...traits }), second);
  };
  say(1);
  return { weir, a, b, say };
}

function inFlight(weir: TestDataPlane, address: string): number {
  const { endpoints } = weir.plane.explain('news' as ChannelName) as ReturnType<typeof explanationJson>;
  return endpoints.find((one) => one.service_address === address)?.in_flight ?? 0;
}

describe('an origin that drains', () => {
  test('FLV viewers lose no frame, and its pull ends', async () => {
    const { weir, a, b, say } = await stage();
    const viewers = ['http', 'ws'].map((scheme) => FlvViewer.open(`${scheme}://127.0.0.1:${weir.port}/live/news.flv`));
    cleanups.push(() => {
      for (const viewer of viewers) viewer.leave();
    });
    const more = async () => {
      const before = viewers.map(({ media }) => media.length);
      await waitFor(() => viewers.every(({ media }, index) => media.length > (before[index] ?? 0) + 50), {
        what: 'more media',
      });
    };
    await more();
    const endpointNow = () => weir.plane.relays()[0]?.endpoint;
    assert.equal(endpointNow(), a.address);
    say(2, true);
    await waitFor(() => endpointNow() === b.address, { what: 'the switch' });
    await waitFor(() => inFlight(weir, a.address) === 0, { what: 'the end of the pull' });
    await more();
    for (const viewer of viewers) {
      assert.equal(viewer.error, undefined);
      assert.equal(viewer.ended, false);
      assert.equal(viewer.headers, 1, 'one FLV header');
      assert.deepEqual(viewer.stepsBack(), []);
      for (const type of [8, 9]) assert.ok(viewer.largestGap(type) <= 150 + standstill(), 'no frame is missing');
    }
    assert.equal(await metricValue(weir.metrics, 'weir_relay_failovers_total', { cause: 'draining' }), 1);
    say(3);
    assert.equal((weir.plane.explain('news' as never) as { picked?: string }).picked?.includes(a.address), true);
  });

  test('HLS viewers lose no segment, and it is asked no more', async () => {
    const { weir, a, b, say } = await stage();
    const checker = new LivePlaylistChecker();
    const seen = new Set<string>();
    const url = `${weir.url}/live/news.m3u8`;
    /** A reload, with a download of what is new. */
    const reload = async () => {
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      for (const { uri } of checker.see(await answer.text())?.segments ?? []) {
        if (seen.has(uri)) continue;
        seen.add(uri);
        const segment = await fetch(new URL(uri, url));
        assert.equal(segment.status, 200, uri);
        assert.equal((await segment.arrayBuffer()).byteLength % 188, 0, `${uri} is whole`);
      }
    };
    const beyond = () => {
      const known = [...checker.known.values()];
      const seam = known.findLastIndex(({ discontinuity }) => discontinuity);
      return seam === -1 ? 0 : known.length - seam;
    };
    await reload();
    assert.equal(inFlight(weir, a.address), 1);
    say(2, true);
    for (const until = performance.now() + 60_000; beyond() < 2 && performance.now() < until; await sleep(250)) {
      await reload();
    }
    assert.ok(beyond() >= 2, 'it goes on from the other one');
    assert.deepEqual(checker.violations, []);
    assert.equal(await metricValue(weir.metrics, 'weir_hls_switches_total', { cause: 'draining' }), 1);
    assert.deepEqual([inFlight(weir, a.address), inFlight(weir, b.address)], [0, 1]);
  });
});
