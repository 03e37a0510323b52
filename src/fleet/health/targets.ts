// What a round of health checks asks: one endpoint of each server, another one each round. Pure.

import type { Channel, Endpoint, ServerOrigin } from '../../model.js';
import { serverOf } from '../../net-address.js';

/** Servers of one round. With more, each round goes on where the one before it ended. */
export const maxTargets = 2_000;

export interface ProbeTarget {
  readonly server: ServerOrigin;
  readonly endpoint: Endpoint;
}

/** @param round counts up */
export function probeTargets(channels: Iterable<Channel>, round: number): ProbeTarget[] {
  const byServer = new Map<ServerOrigin, Endpoint[]>();
  for (const { endpoints } of channels) {
    for (const endpoint of endpoints) {
      // One that vanished is not registered any more.
      if (endpoint.peer !== undefined || endpoint.lastResort === true) continue;
      const server = serverOf(endpoint.address);
      const known = byServer.get(server);
      if (known === undefined) byServer.set(server, [endpoint]);
      else known.push(endpoint);
    }
  }
  const all = [...byServer].flatMap(([server, endpoints]) => {
    const endpoint = endpoints[round % endpoints.length];
    return endpoint === undefined ? [] : [{ server, endpoint }];
  });
  if (all.length <= maxTargets) return all;
  const start = (round * maxTargets) % all.length;
  return [...all.slice(start), ...all.slice(0, start)].slice(0, maxTargets);
}
