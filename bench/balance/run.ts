// `npm run bench:balance [-- --seeds 1,2,3 --drawn 51,52 --drift 81 --quick --write FILE]`: every policy in every scenario, whether the
// default one reaches its bars, the literal checks and the cost of a pick. Prints markdown; exits with 1 when a bar is missed.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { PolicyName } from '../../src/balancer/policies.js';
import { markdownTable } from '../support/table.js';
import { informed, weirPolicy } from './adapter.js';
import { bars, costBars, drawnBar, driftMissed, halfBar, missed, rampBar } from './bars.js';
import type { PolicyModule } from './contract.js';
import { drawnScenarios } from './drawn.js';
import { drawnDrifts, loadsTold, runDrift } from './drift.js';
import { floorOf } from './floor.js';
import { literal } from './literal.js';
import type { Result } from './measure.js';
import { oracle } from './oracle.js';
import { halves, ramps } from './partly.js';
import { pickCost } from './pick-cost.js';
import { scenarios } from './scenario.js';
import { simulate } from './simulation.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '101,102,103' },
    drawn: { type: 'string', default: '51,52' },
    drift: { type: 'string', default: '81' },
    quick: { type: 'boolean', default: false },
    write: { type: 'string' },
  },
});
const numbers = (text: string) => text.split(',').map(Number);
const seeds = numbers(values.seeds);
const names: readonly PolicyName[] = ['adaptive', 'lowest', 'p2c', 'round-robin', 'random'];
const contestants: readonly (readonly [string, PolicyModule])[] = [
  ...names.map((name) => [name, weirPolicy(name)] as const),
  ['oracle', oracle],
];
const failures: string[] = [];
const sections: string[] = [];

/** The worst of several seeds, figure by figure. */
function worstOf(results: readonly Result[]): Result {
  const worst = (of: (result: Result) => number | undefined) => {
    const known = results.map(of).filter((value) => value !== undefined);
    return known.length > 0 ? Math.max(...known) : undefined;
  };
  const number = (of: (result: Result) => number) => worst(of) ?? Number.NaN;
  return {
    average: number((result) => result.average),
    p99: number((result) => result.p99),
    worst: number((result) => result.worst),
    highest: number((result) => result.highest),
    overloaded: number((result) => result.overloaded),
    failed: number((result) => result.failed),
    lossy: worst((result) => result.lossy),
    joinPeak: worst((result) => result.joinPeak),
    run: number((result) => result.run),
    picks: number((result) => result.picks),
    moves: worst((result) => result.moves),
    above: worst((result) => result.above),
  };
}

function scenarioTable(): void {
  const rows = Object.entries(scenarios).map(([name, scenario]) => {
    const cells = contestants.map(([contestant, module]) => {
      const result = worstOf(seeds.map((seed) => simulate(scenario, module, seed)));
      const bar = bars.find((one) => one.scenario === name);
      if (contestant === 'adaptive' && bar !== undefined) failures.push(...missed(bar, result));
      return cell(result);
    });
    return [name, ...cells];
  });
  sections.push(
    `## Peak ÷ mean utilisation\n\nAverage / p99 over time; 1.00 is perfect. Worst of the seeds ${values.seeds}.`,
    markdownTable(['scenario', ...contestants.map(([name]) => name)], rows),
  );
}

function cell({ average, p99, failed, lossy, overloaded, moves }: Result): string {
  const notes = [
    overloaded > 0.005 ? `${(100 * overloaded).toFixed(0)} % overloaded` : '',
    failed > 0.0005 ? `${(100 * failed).toFixed(1)} % failed` : '',
    lossy === undefined ? '' : `lossy ${lossy.toFixed(2)}`,
    moves === undefined ? '' : `${moves.toFixed(0)} moves`,
  ].filter((note) => note !== '');
  return `${average.toFixed(2)} / ${p99.toFixed(2)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

function drawnTable(): void {
  const rows = contestants.flatMap(([name, module]) =>
    numbers(values.drawn).map((set) => {
      const results = Object.values(drawnScenarios(set, 24)).map((one) => simulate(one, module, set + 1000));
      const mean = (of: (result: Result) => number) => results.reduce((sum, one) => sum + of(one), 0) / results.length;
      const found = { average: mean((one) => one.average), p99: mean((one) => one.p99), worst: worstOf(results).p99 };
      if (name === 'adaptive') {
        for (const key of ['average', 'p99', 'worst'] as const) {
          if (!(found[key] <= drawnBar[key])) {
            failures.push(`drawn ${set}: ${key} ${found[key].toFixed(3)} is above ${drawnBar[key]}`);
          }
        }
      }
      return [name, String(set), found.average.toFixed(3), found.p99.toFixed(3), found.worst.toFixed(2)];
    }),
  );
  sections.push(
    '## Drawn scenarios\n\nSets of 24 whose parameters are drawn from a seed.',
    markdownTable(['policy', 'set', 'mean average', 'mean p99', 'worst p99'], rows),
  );
}

function driftTable(): void {
  const rows = (['adaptive', 'lowest'] as const).flatMap((name) =>
    numbers(values.drift).flatMap((set) =>
      loadsTold.map((loads) => {
        const results = drawnDrifts(set, loads).map((one) => ({ one, ...runDrift(one, weirPolicy(name)) }));
        const missing = results.filter(driftMissed);
        if (name === 'adaptive') {
          for (const { one, above, worst } of missing) {
            failures.push(
              `drift ${set}, ${loads}, ${one.name}: ${(100 * above).toFixed(2)} %, worst ${worst.toFixed(2)}`,
            );
          }
        }
        const highest = (of: (one: (typeof results)[number]) => number) => Math.max(...results.map(of));
        return [
          name,
          String(set),
          loads,
          `${missing.length} of ${results.length}`,
          `${(100 * highest(({ above }) => above)).toFixed(2)} %`,
          highest(({ worst }) => worst).toFixed(2),
        ];
      }),
    ),
  );
  sections.push(
    '## Loads that drift by themselves\n\nSets of 24, an hour each. Picks more than 0.05 above the lowest score at hand, and the worst.',
    markdownTable(['policy', 'set', 'loads', 'miss the bar', 'above', 'worst'], rows),
  );
}

function halfTable(): void {
  const rows = Object.entries(halves).map(([name, scenario]) => {
    const pairs = seeds.map((seed) => ({
      own: simulate(scenario, weirPolicy('adaptive'), seed),
      told: simulate(scenario, informed, seed),
    }));
    const own = worstOf(pairs.map((pair) => pair.own));
    const told = worstOf(pairs.map((pair) => pair.told));
    for (const key of ['average', 'p99'] as const) {
      const ratio = own[key] / told[key];
      if (!(ratio <= halfBar)) failures.push(`${name}: ${key} ${ratio.toFixed(3)} times that of the informed policy`);
    }
    const both = (result: Result) => `${result.average.toFixed(3)} / ${result.p99.toFixed(3)}`;
    return [name, both(own), both(told), (own.average / told.average).toFixed(3), (own.p99 / told.p99).toFixed(3)];
  });
  sections.push(
    `## Half ours, half others'\n\nPeak ÷ mean, average / p99, beside the same policy told which part is ours. Worst of the seeds ${values.seeds}.`,
    markdownTable(['scenario', 'adaptive', 'informed', 'ratio of averages', 'of p99'], rows),
  );
}

function rampTable(): void {
  const rows = Object.entries(ramps).map(([name, scenario]) => {
    const {
      average,
      worst,
      above = Number.NaN,
    } = worstOf(seeds.map((seed) => simulate(scenario, weirPolicy('adaptive'), seed)));
    if (!(worst <= rampBar.worst)) failures.push(`${name}: a second at ${worst.toFixed(2)} is above ${rampBar.worst}`);
    if (!(above <= rampBar.above)) failures.push(`${name}: ${(100 * above).toFixed(2)} % not the lowest after it`);
    return [name, average.toFixed(2), worst.toFixed(2), `${(100 * above).toFixed(2)} %`];
  });
  sections.push(
    '## From nothing to all of the load, and back\n\nPeak ÷ mean, the worst second, and picks above the lowest from three reports after the end on.',
    markdownTable(['scenario', 'average', 'worst second', 'above the lowest after it'], rows),
  );
}

function floorTable(): void {
  const rows = ['hls-50x10-T5', 'channels-hls', 'channels-hetero-hls', 'flash-channel-hls'].map((name) => {
    const scenario = scenarios[name];
    if (scenario === undefined) throw new RangeError(name);
    const { average, p99 } = floorOf(scenario, seeds[0] ?? 1);
    return [name, `${average.toFixed(2)} / ${p99.toFixed(2)}`];
  });
  sections.push(
    '## What chance leaves\n\nPeak ÷ mean with perfect shares and requests that know nothing of each other; for the crowd, without it.',
    markdownTable(['scenario', 'average / p99'], rows),
  );
}

function literalTable(): void {
  const results = literal(weirPolicy('adaptive'));
  for (const { name, passed } of results) if (!passed) failures.push(`literal: ${name}`);
  const rows = results.map((one) => [
    one.name,
    `${(100 * one.share).toFixed(1)} %`,
    `${100 * one.least} %`,
    one.passed ? 'yes' : 'NO',
  ]);
  sections.push(
    '## Literal on fresh, static reports\n\nPicks of `adaptive` that go to the lowest load and loss.',
    markdownTable(['check', 'share', 'at least', 'passed'], rows),
  );
}

function costTable(): void {
  const rows = [...names, 'rendezvous' as const].map((name) => [
    name,
    ...[3, 10, 100].map((endpoints) => {
      const { microseconds, bytes } = pickCost(name, endpoints);
      const limit = costBars.find((bar) => bar.endpoints === endpoints)?.microseconds;
      if (name === 'adaptive' && limit !== undefined && microseconds > limit) {
        failures.push(`a pick of ${endpoints}: ${microseconds.toFixed(2)} µs is above ${limit}`);
      }
      if (name === 'adaptive' && bytes > 1) failures.push(`a pick of ${endpoints} allocates ${bytes.toFixed(1)} bytes`);
      return `${microseconds.toFixed(2)} µs, ${bytes.toFixed(0)} B`;
    }),
  ]);
  sections.push('## Cost of a pick', markdownTable(['policy', '3 endpoints', '10', '100'], rows));
}

costTable();
literalTable();
scenarioTable();
floorTable();
halfTable();
if (!values.quick) rampTable();
if (!values.quick) drawnTable();
if (!values.quick) driftTable();
const verdict =
  failures.length === 0 ? 'All bars are met.' : `Missed:\n${failures.map((one) => `- ${one}`).join('\n')}`;
const report = [...sections, `## Bars of \`adaptive\`\n\n${verdict}`].join('\n\n');
process.stdout.write(`${report}\n`);
if (values.write !== undefined) writeFileSync(values.write, `${report}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
