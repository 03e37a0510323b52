// mpegts.js in headless Chromium, over HTTP and over WebSocket, through two failovers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, startDataPlane } from '../support/data-plane.js';
import { type FlvPage, openFlvPage } from '../support/flv-page.js';
import { type OriginProcess, spawnOrigin } from '../support/origin-process.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

/** Waits until every player has played so many more seconds. */
async function played(page: FlvPage, seconds: number): Promise<void> {
  const before = await page.states();
  await waitFor(
    async () => (await page.states()).every((state, index) => state.time >= (before[index]?.time ?? 0) + seconds),
    { what: `${seconds} s to be played`, deadline: seconds * 1_000 + 60_000 },
  );
}

test('30 s are played through two failovers, and it goes on', async () => {
  const origins: OriginProcess[] = [];
  for (const name of ['a', 'bb', 'ccc']) {
    const origin = await spawnOrigin(name, 'news');
    cleanups.push(() => origin.kill());
    origins.push(origin);
  }
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  weir.register(...origins.map(({ address }, index) => endpoint('news', address, { load: index / 10 })));
  const page = await openFlvPage(['http', 'ws'].map((scheme) => `${scheme}://127.0.0.1:${weir.port}/live/news.flv`));
  cleanups.push(() => page.close());
  await played(page, 8);
  const undisturbed = await page.states();
  for (const index of [0, 1]) {
    await origins[index]?.kill();
    await waitFor(() => weir.plane.relays()[0]?.endpoint === origins[index + 1]?.address, { what: 'the failover' });
    await played(page, 10);
  }
  const before = await page.states();
  await played(page, 2);
  for (const [index, state] of (await page.states()).entries()) {
    assert.deepEqual(state.errors, []);
    assert.ok(state.time >= 30, `${state.time} s`);
    assert.ok(state.frames > (before[index]?.frames ?? 0) + 20, 'and pictures come');
    // A busy machine freezes pictures without any failover.
    const own = undisturbed[index]?.freeze ?? 0;
    assert.ok(state.freeze < 2_000 + own, `a freeze of ${state.freeze} ms; of ${own} ms before any failover`);
  }
  assert.equal(weir.plane.relays()[0]?.failovers, 2);
});
