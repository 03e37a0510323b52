// The parts of a site's health checks put together: the way to the origins is that of players, with its own connections.

import type { Config } from '../../config-schema.js';
import type { SnapshotStore } from '../../snapshot/store.js';
import { createUpstreamClient } from '../../upstream/client.js';
import { Destinations, type OwnListener } from '../../upstream/destinations.js';
import { Pools } from '../../upstream/pools.js';
import { Probe } from './probe.js';
import { SiteHealth, type SiteHealthOptions } from './site-health.js';

type Given = Pick<SiteHealthOptions, 'session' | 'election' | 'found' | 'logger' | 'metrics'>;

/** Requests under way to one server: a check is one. */
const connections = 4;

/** Undefined where the settings say so. @param own what this edge listens on: no endpoint is asked there */
export function startHealth(
  { fleet, upstream }: Config,
  store: SnapshotStore,
  own: readonly OwnListener[],
  given: Given,
): { close(): Promise<void> } | undefined {
  if (fleet.health.mode === 'off') return undefined;
  const destinations = new Destinations(upstream.allow);
  destinations.setOwn(own);
  const pools = new Pools(store, destinations, { ...upstream, connections, peerConnections: connections });
  const probe = new Probe(createUpstreamClient(pools, upstream), () => performance.now());
  const health = new SiteHealth({
    ...given,
    probe,
    path: `${fleet.root}/health/${fleet.site}`,
    intervalMs: fleet.health.interval,
    channels: () => store.current.channels.values(),
  });
  return {
    async close() {
      health.close();
      await pools.close();
    },
  };
}
