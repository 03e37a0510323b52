// `npm run bench:fleet`: what a fleet of many edges asks of ZooKeeper, by count, with a simulated clock.

import { parseArgs } from 'node:util';
import { seeded } from '../balance/random.js';
import { markdownTable } from '../support/table.js';
import { channelCosts } from './channels.js';
import { type Measured, SimulatedFleet } from './simulation.js';

const print = (text: string) => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    edges: { type: 'string', default: '1000' },
    sites: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const scale = { edges: Number(values.edges), sites: Number(values.sites) };
const fleet = new SimulatedFleet(scale, seeded(Number(values.seed)));
const found: Measured[] = [];
async function measure(what: string, seconds: number): Promise<void> {
  const measured = await fleet.measure(what, seconds);
  console.error(what);
  found.push(measured);
}

fleet.spread(10_000, ({ session }) => session.connect());
await measure('all edges start within 10 s', 30);
await measure('nothing but players who come and go', 120);
for (const [i, edge] of fleet.edges.slice(0, 12).entries()) fleet.clock.after(i * 5_000, () => fleet.restart(edge));
await measure('an edge is restarted every 5 s', 60);
await fleet.clock.pass(20_000);
for (const { session } of fleet.edges) session.suspend();
await fleet.clock.pass(6_000);
fleet.spread(3_000, ({ session }) => session.connect(false));
await measure('ZooKeeper is back, all within 3 s, sessions alive', 20);
for (const { session } of fleet.edges) session.lose();
await fleet.clock.pass(60_000);
fleet.spread(10_000, ({ session }) => session.connect());
await measure('it is back, all within 10 s, sessions lost', 30);
fleet.close();

const round = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const rows = found.map(({ what, seconds, mean, peak }) => [
  `${what} (${seconds} s)`,
  ...(['writes', 'reads', 'lists', 'listed', 'events'] as const).map(
    (kind) => `${round(mean[kind])} / ${round(peak[kind])}`,
  ),
]);
print(markdownTable(['A second, mean / highest', 'writes', 'reads', 'lists', 'names in lists', 'events'], rows));
print(
  `\nEdges by the number that they count: ${[...fleet.counted()].map(([count, edges]) => `${edges} count ${count}`).join(', ')}`,
);

const channels = 100_000;
const costs = await channelCosts(2_000, 2);
const million = (value: number) => `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} million`;
print(`\nThe channels: ${channels} of two endpoints, followed by ${scale.edges} edges\n`);
print(
  markdownTable(
    ['What', 'an edge asks', `${scale.edges} edges ask`],
    [
      ['all of them, once', million(costs.firstRead * channels), million(costs.firstRead * channels * scale.edges)],
      ['for a report of an endpoint', `${costs.report}`, `${costs.report * scale.edges}, after as many events`],
      ['for an endpoint that comes', `${costs.comes}`, `${costs.comes * scale.edges}, after as many events`],
      ['for an endpoint that goes', `${costs.goes}`, `${costs.goes * scale.edges}, after at least as many events`],
    ],
  ),
);
