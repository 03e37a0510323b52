// Pure: whether this edge is in a fleet.

import type { Config } from '../config-schema.js';

/** Why there is no fleet, in words; undefined: there is one. */
export function whyNoFleet({ fleet, registry }: Pick<Config, 'fleet' | 'registry'>): string | undefined {
  if (fleet.enabled === false) return 'fleet.enabled is false';
  if (registry.kind !== 'zookeeper') return `registry.kind is ${registry.kind}, and edges meet in ZooKeeper`;
  return undefined;
}
