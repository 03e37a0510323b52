// The rounds of a leader and what the edges hear, without a server.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseRecord } from '../../../src/fleet/health/record.js';
import { SiteHealth } from '../../../src/fleet/health/site-health.js';
import { silentLogger } from '../../../src/log.js';
import { createMetrics } from '../../../src/metrics.js';
import type { Channel } from '../../../src/model.js';
import { endpoint } from '../../support/data-plane.js';
import { FakeFleet } from '../../support/fake-fleet.js';

const path = '/weir/health/default';
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};
const channels = [
  { name: 'x', endpoints: ['a', 'b', 'c'].map((host) => endpoint('x', `http://${host}:80/x`)) },
] as unknown as Channel[];

function edge(t: TestContext, fleet: FakeFleet, leading: { token: string | undefined }, ill: ReadonlySet<string>) {
  const heard: unknown[] = [];
  const asked: string[] = [];
  const health = new SiteHealth({
    session: fleet.connect(),
    election: {
      isLeader: () => leading.token !== undefined,
      get token() {
        return leading.token;
      },
    },
    path,
    intervalMs: 3_600_000,
    channels: () => channels,
    probe: {
      check: async (server) => {
        asked.push(server);
        return ill.has(server) ? 'connect_error' : 'well';
      },
    },
    found: (findings) => heard.push(...findings.map(([server, cause, weight]) => [server, cause, Math.round(weight)])),
    logger: silentLogger,
    metrics: createMetrics({ process: false }),
  });
  t.after(() => health.close());
  return { health, heard, asked };
}

test('the leader asks and publishes, and each edge hears of each round once', async (t) => {
  const fleet = new FakeFleet();
  const ill = new Set(['http://b:80']);
  const leader = edge(t, fleet, { token: '5' }, ill);
  const other = edge(t, fleet, { token: undefined }, ill);
  await leader.health.check();
  await turns();
  assert.deepEqual(leader.asked, ['http://a:80', 'http://b:80', 'http://c:80']);
  assert.deepEqual(other.asked, []);
  const failed = ['http://b:80', 'connect_error', 1];
  assert.deepEqual([leader.heard, other.heard], [[failed], [failed]]);
  fleet.tell(path, false);
  await turns();
  assert.equal(other.heard.length, 1);
  ill.clear();
  await leader.health.check();
  await turns();
  assert.deepEqual(other.heard.slice(1), [['http://b:80', 'connect_error', -1]]);
});

test('one that led before another one publishes nothing any more', async (t) => {
  const fleet = new FakeFleet();
  const late = edge(t, fleet, { token: '5' }, new Set(['http://a:80']));
  const now = edge(t, fleet, { token: '6' }, new Set());
  await now.health.check();
  await late.health.check();
  assert.equal(parseRecord(fleet.nodes.get(path)?.data ?? '')?.token, '6');
  assert.deepEqual(now.heard, []);
});

test('who leads no more in the middle of a round stops asking, and publishes nothing', async (t) => {
  const fleet = new FakeFleet();
  const leading: { token: string | undefined } = { token: '5' };
  const { health, asked } = edge(t, fleet, leading, new Set());
  const round = health.check();
  await turns();
  leading.token = undefined;
  await round;
  assert.equal(asked.length, 1);
  assert.equal(fleet.nodes.size, 0);
});

test('what somebody else wrote there is not believed, and does no harm', async (t) => {
  const fleet = new FakeFleet();
  const { heard } = edge(t, fleet, { token: undefined }, new Set());
  fleet.make(path, '{"v":1,"failing":"all"}', undefined, false);
  await turns();
  assert.deepEqual(heard, []);
});
