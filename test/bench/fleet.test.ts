// The simulation of a fleet in its short form: what it counts is what the page says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../bench/balance/random.js';
import { channelCosts } from '../../bench/fleet/channels.js';
import { SimulatedFleet } from '../../bench/fleet/simulation.js';

test('edges whose players come and go write seldom and read nothing, and each counts all of them', async () => {
  const fleet = new SimulatedFleet({ edges: 30, sites: 3 }, seeded(1));
  fleet.spread(5_000, ({ session }) => session.connect());
  await fleet.measure('start', 20);
  assert.deepEqual([...fleet.counted()], [[30, 30]]);
  const { mean } = await fleet.measure('players', 60);
  assert.ok(mean.writes > 0 && mean.writes < 30 / 5, `${mean.writes} writes a second`);
  assert.deepEqual([mean.reads, mean.lists, mean.events], [0, 0, 0]);
  fleet.close();
});

test('a report of an endpoint costs each edge one read, and a channel one read for each node once', async () => {
  const { firstRead, report, comes, goes } = await channelCosts(100, 2);
  assert.ok(Math.abs(firstRead - 4) < 0.1, `${firstRead}`);
  assert.deepEqual([report, comes, goes], [1, 2, 1]);
});
