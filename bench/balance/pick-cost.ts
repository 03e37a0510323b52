// What one pick costs: time and garbage, with a report every thousand picks. The policy itself is measured, not the simulation.

import { createPolicy, type PolicyName } from '../../src/balancer/policies.js';
import type { Candidate, PickContext, Policy } from '../../src/balancer/policy.js';
import type { ChannelName, EndpointId, ServerOrigin, ServiceAddress } from '../../src/model.js';
import { median } from '../support/table.js';
import { seeded } from './random.js';

export interface PickCost {
  readonly microseconds: number;
  /** Heap bytes a pick, between two reports. */
  readonly bytes: number;
}

const PICKS = 200_000;
const PICKS_PER_REPORT = 1000;

/** The best of three rounds, after one to warm up: the others tell of the machine. */
export function pickCost(name: PolicyName, endpoints: number): PickCost {
  const costs = Array.from({ length: 4 }, () => round(name, endpoints)).slice(1);
  return {
    microseconds: Math.min(...costs.map((cost) => cost.microseconds)),
    bytes: Math.min(...costs.map((cost) => cost.bytes)),
  };
}

function round(name: PolicyName, endpoints: number): PickCost {
  const policy = createPolicy(name);
  const random = seeded(5);
  const settings = { lossWeight: 10, tieBand: 0.02, edges: 10 };
  const context: PickContext = { now: 0, key: 'channel', random: seeded(1), workers: 1, settings };
  let candidates = Array.from({ length: endpoints }, (_, i) => candidate(i, 0.5 + 0.2 * random()));
  for (const one of candidates) policy.onReport?.(one, context);
  const batches: number[] = [];
  let picked = 0;
  for (let report = 0; report < PICKS / PICKS_PER_REPORT; report += 1) {
    candidates = candidates.with(report % endpoints, candidate(report % endpoints, 0.5 + 0.2 * random()));
    const told = candidates[report % endpoints];
    if (told !== undefined) policy.onReport?.(told, context);
    picked += policy.pick(candidates, context);
    const start = process.hrtime.bigint();
    picked += pickMany(policy, candidates, context, PICKS_PER_REPORT);
    batches.push(Number(process.hrtime.bigint() - start));
    for (const one of candidates) {
      policy.onStart?.(one, context);
      policy.onDone?.(one, 'success', 100, context);
    }
  }
  const bytes = Math.min(
    ...Array.from({ length: 5 }, () => {
      // Few enough picks to fit between two collections of garbage; the best of five, since code is optimised meanwhile.
      const heap = process.memoryUsage().heapUsed;
      picked += pickMany(policy, candidates, context, 10 * PICKS_PER_REPORT);
      return Math.max(0, process.memoryUsage().heapUsed - heap) / (10 * PICKS_PER_REPORT);
    }),
  );
  if (picked < 0) throw new RangeError('unreachable: keeps the picks from being optimised away');
  return { microseconds: median(batches) / PICKS_PER_REPORT / 1000, bytes };
}

function pickMany(policy: Policy, candidates: readonly Candidate[], context: PickContext, times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i += 1) {
    context.now += 0.5;
    sum += policy.pick(candidates, context);
  }
  return sum;
}

function candidate(index: number, load: number): Candidate {
  const address = `10.0.${index >> 8}.${index & 255}:80`;
  return {
    endpoint: {
      id: `${index}` as EndpointId,
      channel: 'channel' as ChannelName,
      address: address as ServiceAddress,
      load,
      bitrate: 1200,
      packetLoss: 0,
      version: 1,
    },
    state: {
      server: `http://${address}` as ServerOrigin,
      inFlight: 1,
      consecutiveFailures: 0,
      ejectedUntil: 0,
      timesEjected: 0,
      lastPick: index,
    },
    reportedAt: 0,
    joinedAt: 0,
  };
}
