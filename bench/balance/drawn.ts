// Scenarios drawn from a seed, so that nothing is tuned to the named ones. The same seed gives the same set.

import { seeded } from './random.js';
import { type Scenario, scenario } from './scenario.js';

export function drawnScenarios(seed: number, count: number): Readonly<Record<string, Scenario>> {
  const random = seeded(seed * 104_729 + 5);
  const between = (low: number, high: number) => low + (high - low) * random();
  const oneOf = <T>(first: T, ...others: readonly T[]): T =>
    [first, ...others][Math.floor(random() * (others.length + 1))] ?? first;
  const drawn: Record<string, Scenario> = {};
  for (let i = 0; i < count; i += 1) {
    const long = i % 2 === 1;
    const endpoints = oneOf(4, 6, 8, 12, 20, 30);
    const edges = oneOf(1, 2, 5, 15, 30, 80);
    const base = {
      edges,
      endpoints,
      period: oneOf(1.5, 2, 3, 4, 7, 10),
      rho: between(0.5, 0.78),
      periodJitter: between(0.02, 0.3),
      delayMax: between(0.1, 0.8),
      noise: between(0.002, 0.02),
      reportMode: oneOf<'avg' | 'inst'>('avg', 'inst'),
      quantum: oneOf(0.001, 0.01),
      edgeSkew: oneOf(0, 0, 0.8),
      edgesHint: random() < 0.5,
      slots: long ? Math.round(between(150, 500)) : Math.round(between(60, 160)),
      mix: long
        ? [{ share: 1, mean: between(90, 420) }]
        : [{ share: 1, mean: between(0.3, 3), sigma: between(0.3, 1) }],
      warmup: long ? 200 : 80,
      duration: long ? 500 : 150,
    };
    const kind = oneOf('plain', 'plain', 'unequal', 'lossy', 'die', 'join', 'mix');
    const index = Math.floor(random() * endpoints);
    const share = between(0.2, 0.8);
    const variants: Record<string, Partial<Scenario>> = {
      plain: {},
      unequal: { capacity: Array.from({ length: endpoints }, () => oneOf(1, 1, 2, 3)) },
      lossy: { loss: { [index]: between(0.03, 0.08) }, rho: between(0.45, 0.62), warmup: base.warmup + 150 },
      die: { die: { at: base.warmup + 40, index }, rho: between(0.4, 0.6) },
      join: { join: { at: base.warmup + 40, index } },
      mix: {
        slots: 150,
        mix: [
          { share, mean: between(0.5, 2), sigma: 0.5 },
          { share: 1 - share, mean: between(120, 300) },
        ],
      },
    };
    drawn[`drawn-${seed}.${i}-${long ? 'flv' : 'hls'}-${kind}-${edges}x${endpoints}`] = scenario({
      ...base,
      ...variants[kind],
    });
  }
  return drawn;
}
