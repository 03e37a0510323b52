// What the default policy has to reach, by scenario: peak ÷ mean utilisation and what else counts.

import type { DriftResult } from './drift.js';
import type { Result } from './measure.js';

export interface Bar {
  readonly scenario: string;
  readonly average?: number;
  readonly p99?: number;
  /** Highest utilisation of any server. */
  readonly highest?: number;
  /** Part of the picks. */
  readonly failed?: number;
  /** Share of lossy servers ÷ their fair share. */
  readonly lossy?: number;
  /** Of a sticky channel of an edge, per hour. */
  readonly moves?: number;
}

export const bars: readonly Bar[] = [
  { scenario: 'hls-50x10-T5', average: 1.12, p99: 1.25, highest: 1 },
  { scenario: 'hls-50x10-T5-hetero', average: 1.15, p99: 1.3 },
  { scenario: 'flv-50x10-T5', average: 1.05, p99: 1.1 },
  { scenario: 'flv-50x10-T5-hetero', average: 1.06, p99: 1.12 },
  { scenario: 'flv-50x10-T5-die', average: 1.06, p99: 1.15, failed: 0.002 },
  { scenario: 'mix-50x10-T5', average: 1.08, p99: 1.15 },
  { scenario: 'cold-hls-50x10-T5', average: 1.3, p99: 2.1 },
  { scenario: 'hls-50x10-T5-lossy', lossy: 0.35 },
  { scenario: 'flv-50x10-T5-lossy', lossy: 0.35 },
  { scenario: 'sessions-20x10', average: 1.15, p99: 1.3, moves: 25 },
  { scenario: 'sessions-passthrough', average: 1.4, p99: 1.7, moves: 50 },
  { scenario: 'channels-hetero-hls', average: 1.15, p99: 1.3 },
  { scenario: 'flash-channel-hls', average: 1.15, p99: 1.35 },
];

/** Half ours, half others': average and p99 are at most this times those of the policy that is told which part is ours. */
export const halfBar = 1.05;

/** Our traffic from nothing to all and back: peak ÷ mean of the worst second, and picks above the lowest after it. */
export const rampBar = { worst: 1.35, above: 0.005 };

/** For a set of drawn scenarios: mean of the averages, mean of the p99, worst p99. */
export const drawnBar = { average: 1.1, p99: 1.2, worst: 1.7 };

/** Microseconds a pick by number of endpoints; a pick allocates nothing. */
export const costBars: readonly { readonly endpoints: number; readonly microseconds: number }[] = [
  { endpoints: 10, microseconds: 1 },
  { endpoints: 100, microseconds: 3 },
];

/** Where loads drift by themselves: part of the picks more than 0.05 above the lowest score at hand, and the worst of them. */
export const driftBar = { above: 0.005, worst: 0.15 };

export const driftMissed = ({ above, worst }: DriftResult): boolean =>
  !(above <= driftBar.above && worst <= driftBar.worst);

/** What a result misses, as text; empty when it passes. */
export function missed(bar: Bar, result: Result): string[] {
  const checks: readonly [name: string, value: number | undefined, limit: number | undefined][] = [
    ['average', result.average, bar.average],
    ['p99', result.p99, bar.p99],
    ['highest utilisation', result.highest, bar.highest],
    ['failed picks', result.failed, bar.failed],
    ['lossy share', result.lossy, bar.lossy],
    ['moves', result.moves, bar.moves],
  ];
  return checks.flatMap(([name, value, limit]) =>
    limit !== undefined && !((value ?? Number.NaN) <= limit)
      ? [`${bar.scenario}: ${name} ${value?.toFixed(3)} is above ${limit}`]
      : [],
  );
}
