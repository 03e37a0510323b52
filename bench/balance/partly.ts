// Fleets whose load is partly ours: half and half with others, and traffic that grows from nothing to all of the load and back.

import { type Scenario, scenario } from './scenario.js';

const requests = [{ share: 1, mean: 1, sigma: 0.5 }];
const streams = [{ share: 1, mean: 300 }];
const fleet: Partial<Scenario> = { edges: 20, endpoints: 8, period: 3, slots: 300, mix: requests, warmup: 100 };
const load = 0.6;

/** `part` of the load is that of others, which walks by a fifth of itself. */
function shared(part: number, given: Partial<Scenario> = {}): Scenario {
  const mean = part * load;
  const background = { mean, deviation: 0.2 * mean, spread: 0.5 };
  return scenario({ ...fleet, rho: load - mean, background, duration: 200, ...given });
}

/** Judged against the same policy that is told which part is ours. */
export const halves: Readonly<Record<string, Scenario>> = {
  'others-30': shared(0.3),
  'others-50': shared(0.5),
  'others-70': shared(0.7),
  'others-50-untold': shared(0.5, { edgesHint: false }),
  'others-50-unequal': shared(0.5, { capacity: [1, 2, 1, 3] }),
  'others-50-streams': shared(0.5, { mix: streams, slots: 400, warmup: 300, duration: 600 }),
};

const ramp: Scenario = scenario({
  ...fleet,
  slots: 400,
  mix: [{ share: 1, mean: 2, sigma: 0.5 }],
  rho: load,
  background: { mean: load, deviation: 0.02, spread: 0 },
  ramp: [60, 660, 1260],
  warmup: 60,
  // Long enough after the end for some thousand picks.
  duration: 1900,
});

/** No second may be far from even, and the lowest is taken again three reports after the end. */
export const ramps: Readonly<Record<string, Scenario>> = {
  ramp,
  'ramp-untold': { ...ramp, edgesHint: false },
};
