// The policies by the name that the configuration gives them.

import type { Config } from '../config-schema.js';
import { Adaptive } from './adaptive.js';
import { lowest } from './lowest.js';
import { p2c } from './p2c.js';
import type { Policy } from './policy.js';
import { random } from './random.js';
import { rendezvous } from './rendezvous.js';
import { roundRobin } from './round-robin.js';

export type PolicyName = Config['balancer']['policy'];

const factories: Record<PolicyName, () => Policy> = {
  adaptive: () => new Adaptive(),
  lowest: () => lowest,
  p2c: () => p2c,
  'round-robin': () => roundRobin,
  random: () => random,
  rendezvous: () => rendezvous,
};

/** A policy with a state of its own: one instance serves one balancer. */
export function createPolicy(name: PolicyName): Policy {
  return factories[name]();
}
