// What chance alone leaves: every server gets exactly the share of its capacity, request by request and without memory, and all others' load is
// what it is. No policy knows better shares. Edges that do not see each other's requests get below this only by spacing their own evenly.

import { exponential, gaussian, seeded } from './random.js';
import type { Scenario } from './scenario.js';
import { Traffic } from './traffic.js';

/** s over which the others' drift is forgotten, as in the simulation. */
const MEMORY = 30;

export interface Floor {
  readonly average: number;
  readonly p99: number;
}

/** Peak ÷ mean utilisation, second by second for `length` seconds, of short requests. */
export function floorOf(scenario: Scenario, seed: number, length = 2_000): Floor {
  const { endpoints, capacity, channels, background } = scenario;
  const random = seeded(seed);
  const traffic = new Traffic(scenario, random);
  const servers = Array.from({ length: endpoints }, (_, i) => capacity?.[i % capacity.length] ?? 1);
  const used = servers.map((own) => {
    const seconds = new Float64Array(length);
    for (const work of scenario.mix) {
      const rate = traffic.rate(work, own);
      for (let at = exponential(random, 1 / rate); at < length; at += exponential(random, 1 / rate)) {
        const channel = Math.floor(random() * (channels?.count ?? 1));
        const cost = traffic.drawCost(channel) / own;
        const until = Math.min(length, at + traffic.drawDuration(work));
        for (let from = at; from < until; ) {
          const second = Math.floor(from);
          const to = Math.min(until, second + 1);
          seconds[second] = (seconds[second] ?? 0) + cost * (to - from);
          from = to;
        }
      }
    }
    return seconds;
  });
  const { mean = 0, deviation = 0 } = background ?? {};
  const keep = Math.exp(-1 / MEMORY);
  const drifts = servers.map(() => 0);
  const all = servers.reduce((sum, own) => sum + own, 0);
  const ratios: number[] = [];
  for (let second = 0; second < length; second += 1) {
    let sum = 0;
    let peak = 0;
    for (const [i, own] of servers.entries()) {
      const drift = keep * (drifts[i] ?? 0) + deviation * Math.sqrt(1 - keep * keep) * gaussian(random);
      drifts[i] = drift;
      const utilisation = (used[i]?.[second] ?? 0) + mean + drift;
      sum += utilisation * own;
      peak = Math.max(peak, utilisation);
    }
    // The first seconds fill an empty fleet.
    if (second >= 20) ratios.push((peak * all) / sum);
  }
  ratios.sort((a, b) => a - b);
  return {
    average: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
    p99: ratios[Math.floor(0.99 * ratios.length)] ?? Number.NaN,
  };
}
