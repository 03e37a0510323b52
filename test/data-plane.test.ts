// A data plane as one of several workers.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigInput } from '../src/config-schema.js';
import type { Member } from '../src/data-plane.js';
import type { ChannelName } from '../src/model.js';
import { endpoint, startDataPlane, testConfig } from './support/data-plane.js';
import { startHttpOrigin } from './support/origin-server.js';

test('the policy counts the workers that serve, together with the configured edges', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-data-plane-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const member = (slot: number): Member => ({ slot, name: `w${slot}`, socket: join(folder, `${slot}.sock`) });
  const settings = (edges: number): ConfigInput => ({ relay: { enabled: false }, balancer: { edges } });
  const origin = await startHttpOrigin((_request, response) => response.write('endless'));
  t.after(() => origin.close());
  const weir = await startDataPlane(settings(2), { edge: 'test', self: member(0) });
  t.after(() => weir.close());
  weir.register(
    endpoint('news', origin.address, { load: 0.4 }),
    endpoint('news', `http://${origin.address}/same`, { load: 0.4 }),
  );
  const player = new AbortController();
  await fetch(`${weir.url}/live/news.flv`, { signal: player.signal });
  t.after(() => player.abort());
  const softness = () => {
    const { endpoints } = weir.plane.explain('news' as ChannelName) as {
      endpoints: { terms: { softness: number } }[];
    };
    return endpoints[0]?.terms.softness ?? Number.NaN;
  };
  const alone = softness();
  weir.plane.setMembers([member(0), member(1), member(2)]);
  assert.ok(Math.abs(softness() / alone - 3) < 1e-9, 'three workers');
  weir.plane.configure(testConfig(settings(4)));
  assert.ok(Math.abs(softness() / alone - 6) < 1e-9, 'and twice the edges');
  weir.plane.setMembers([member(0)]);
  assert.ok(Math.abs(softness() / alone - 2) < 1e-9, 'alone again');
});
