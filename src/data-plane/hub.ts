// How a data plane shares channels with the other edges of its site, by its settings.

import { parsePeer } from '../config-schema/fleet.js';
import type { Metrics } from '../metrics.js';
import type { Site } from '../sharding/neighbours.js';
import type { HubParts } from '../sharding/sharding.js';
import type { Destinations } from '../upstream/destinations.js';
import type { DataPlaneConfig } from './contract.js';

/** undefined: this edge shares no channel with others. */
export function hubParts(
  { fleet, upstream }: Pick<DataPlaneConfig, 'fleet' | 'upstream'>,
  destinations: Destinations,
  metrics: Metrics,
): HubParts | undefined {
  const { hub, site, secret } = fleet;
  if (!hub || secret === undefined) return undefined;
  const { connectTimeout: connectTimeoutMs } = upstream;
  return { site, secret, destinations, connectTimeoutMs, metrics, now: () => performance.now() };
}

/** The edges of the site where the settings name them, this one among them. */
export function siteByHand({ name, peers }: Pick<DataPlaneConfig['fleet'], 'name' | 'peers'>): Site | undefined {
  if (name === undefined || peers.length === 0) return undefined;
  const others = peers.flatMap((text) => parsePeer(text) ?? []).filter((peer) => peer.name !== name);
  return { self: name, edges: [{ name, address: '' }, ...others] };
}
