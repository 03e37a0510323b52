// An hour's worth of coming and going in a minute: as many joins as a viewer every two seconds makes in an hour, a
// failover for every minute of it, with groups of pictures of 0.4 s.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { packageRoot } from '../../src/package.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LiveOrigin } from '../support/live-origin.js';
import type { SoakReport } from '../support/soak-entry.js';
import { waitFor } from '../support/wait.js';

const joins = 1_800;
const failovers = 60;
const concurrent = 40;

let origins: LiveOrigin[];
before(async () => {
  origins = await Promise.all([0, 3_600_000, 77].map((start) => LiveOrigin.start({ start, frameSize: 2_000 })));
});
after(async () => {
  for (const origin of origins) await origin.close();
});

async function startEdge() {
  const entry = `${packageRoot}dist/test/support/soak-entry.js`;
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const nextLine = async () => ((await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string])[0];
  const port = Number(await nextLine());
  return {
    port,
    register: (...addresses: string[]) => child.stdin.write(`${JSON.stringify(addresses)}\n`),
    report: async () => {
      const answer = nextLine();
      child.stdin.write('?\n');
      return JSON.parse(await answer) as SoakReport & { warnings: string[] };
    },
    close: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

test('memory levels off, and nothing is left when all have gone', async () => {
  const edge = await startEdge();
  try {
    edge.register(...origins.map((origin) => origin.address));
    const idle = await edge.report();
    const viewers: FlvViewer[] = [];
    const faults: string[] = [];
    const leave = (viewer: FlvViewer | undefined) => {
      if (viewer === undefined) return;
      if (viewer.error !== undefined || viewer.ended) faults.push(`${viewer.error ?? 'ended'} ${viewer.status}`);
      if (viewer.stepsBack().length > 0) faults.push(`stepped back by ${viewer.stepsBack().join(' ')}`);
      viewer.leave();
    };
    const buffers: number[] = [];
    const resident: number[] = [];
    for (let join = 0; join < joins; join += 1) {
      const scheme = join % 3 === 0 ? 'ws' : 'http';
      viewers.push(FlvViewer.open(`${scheme}://127.0.0.1:${edge.port}/live/news.flv`));
      if (viewers.length > concurrent) leave(viewers.shift());
      if (join % (joins / failovers) === 0) {
        const busy = origins.find((origin) => origin.viewers > 0);
        if (join % 4 === 0) busy?.cut();
        else busy?.end();
      }
      if (join % (joins / 6) === joins / 6 - 1) {
        const { residentBytes, bufferBytes, heapBytes } = await edge.report();
        resident.push(residentBytes);
        buffers.push(bufferBytes + heapBytes);
      }
      await sleep(30);
    }
    const last = await edge.report();
    assert.ok(last.failovers >= failovers * 0.8, `${last.failovers} failovers`);
    for (const viewer of viewers.splice(0)) leave(viewer);
    assert.deepEqual(faults, []);
    const [, second = 0, , , , sixth = 0] = buffers;
    assert.ok(sixth < second * 1.2 + (4 << 20), `heap and buffers grow: ${buffers.join(' ')}`);
    const [, residentSecond = 0, , , , residentSixth = 0] = resident;
    // The allocator keeps pages of freed buffers: coarser than the heap's own count.
    assert.ok(residentSixth < residentSecond * 1.2 + (24 << 20), `resident memory grows: ${resident.join(' ')}`);
    let gone = last;
    const isGone = async () => {
      gone = await edge.report();
      return gone.relays === 0 && isDeepStrictEqual(gone.open, idle.open);
    };
    // What is still open when the wait was in vain says more than that it was.
    await waitFor(isGone, { what: 'everything to be closed' }).catch(() => assert.deepEqual(gone.open, idle.open));
    assert.equal(gone.relays, 0);
    assert.deepEqual(gone.warnings, []);
  } finally {
    await edge.close();
  }
});
