// What a hostile player, origin or registration can do to others: nothing. Well-behaved viewers of HLS, HTTP-FLV and
// WebSocket-FLV play beside every attack, through the binary as users run it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attacks } from '../support/harm/attacks.js';
import { behindTheEdge, provoke, startHostileOrigin, take } from '../support/harm/hostile-origin.js';
import { maxWorkerMiB, Stage } from '../support/harm/stage.js';
import { register } from '../support/workers.js';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage.close());

/** What nobody has is asked of each endpoint once; all else is asked once, and streams are shared. */
const endpoints = 2;
/** What the viewers beside ask for meanwhile, and pulls of streams that are there. */
const besides = 300;
const sharedPulls = 100;

for (const [number, { name }] of attacks.entries()) {
  test(`${name}: no viewer notices, and no endpoint is ejected`, async () => {
    const before = await stage.counts();
    const statuses = await stage.attack(number);
    assert.deepEqual(await stage.noticed(), []);
    await stage.calm();
    const after = await stage.counts();
    const sent = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    const asked = after.playlists - before.playlists + after.objects - before.objects;
    assert.ok(asked <= endpoints * sent + besides, `${sent} requests caused ${asked} at the origins`);
    const pulls = after.streams - before.streams;
    assert.ok(pulls <= Math.max(sharedPulls, endpoints * sent), `${sent} requests caused ${pulls} pulls`);
    for (const held of stage.memory()) assert.ok(held <= maxWorkerMiB, `a worker holds ${held} MiB`);
  });
}

test('hostile origins: no viewer of other channels notices, and nothing behind the edge is shown', async () => {
  const origin = await startHostileOrigin(`${stage.edge.admin}/api/v1/snapshot`);
  try {
    assert.deepEqual(await provoke(stage, origin, [...origin.playlists, ...origin.streams]), []);
    assert.deepEqual(await stage.viewersNoticed(), []);
    for (const held of stage.memory()) assert.ok(held <= maxWorkerMiB, `a worker holds ${held} MiB`);
  } finally {
    origin.close();
  }
});

test('registrations that point at the edge itself or at metadata services are refused, and harm no other channel', async () => {
  const { players, admin } = stage.edge;
  const ports = [new URL(players).port, new URL(admin).port];
  const hosts = ['127.0.0.1', 'localhost', '127.0.0.2', '[::ffff:127.0.0.1]', '0.0.0.0', '[::1]'];
  const addresses = [
    ...ports.flatMap((port) => hosts.map((host) => `${host}:${port}`)),
    `http://127.0.0.1:${ports[1]}/api/v1/snapshot?x={rest}`,
    'http://169.254.169.254/latest/meta-data',
    '100.100.100.200:80',
    '[fd00:ec2::254]:80',
  ];
  const tryAll = async (address: string, channel: string) => {
    // Refused at once, or when it is used.
    await register(stage.edge, channel, address).catch(() => undefined);
    for (const rest of ['.m3u8', '.flv', '-1.ts']) {
      const { status, text } = await take(`${players}/live/${channel}${rest}`, 15_000);
      assert.ok(status >= 400, `${address}${rest} is answered ${status}`);
      assert.doesNotMatch(text, behindTheEdge, `${address}${rest}`);
    }
  };
  // Most wait for connections that nobody answers.
  await Promise.all(addresses.map((address, i) => tryAll(address, `evil${i}`)));
  assert.deepEqual(await stage.viewersNoticed(), []);
});
