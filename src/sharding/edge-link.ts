// The way to another edge: a TCP connection to an allowed address, on which both prove that they know the secret before anything
// is asked.

import type { buildConnector } from 'undici';
import type { ServiceAddress } from '../model.js';
import { hostOf, portOf, serverOf } from '../net-address.js';
import { toEndpoint } from '../upstream/connector.js';
import type { Destinations } from '../upstream/destinations.js';
import type { PeerLink } from '../upstream/pools.js';
import { proveAsCaller } from './handshake.js';
import type { SiteEdge } from './owner.js';
import { idOf } from './proof.js';

/** This edge, as others know it. */
export interface Caller {
  readonly site: string;
  /** Of this edge. */
  readonly name: () => string;
  readonly secret: string;
  /** Where it may be connected to. */
  readonly destinations: Destinations;
}

type Connector = buildConnector.connector;

/** The way to this edge. */
export function edgeLink({ name, address }: SiteEdge, caller: Caller): PeerLink {
  const server = serverOf(address as ServiceAddress);
  const host = hostOf(server);
  const place = { hostname: host, host, port: String(portOf(server)), protocol: 'http:' } as const;
  return {
    place: `${name} ${address}`,
    connector: (timeoutMs): Connector => {
      const reach = toEndpoint(server, caller.destinations, timeoutMs);
      return (options, callback) => {
        reach({ ...options, ...place }, (...[error, socket]) => {
          if (error !== null) return callback(error, null);
          socket.setNoDelay(true);
          const ends = { caller: idOf(caller.site, caller.name()), answerer: idOf(caller.site, name) };
          proveAsCaller(socket, caller.secret, ends, timeoutMs).then(
            () => callback(null, socket),
            (failure: Error) => {
              socket.destroy();
              callback(failure, null);
            },
          );
        });
      };
    },
  };
}

/** Whether the edge answers and proves itself within `timeoutMs`. Never rejects. */
export function probeEdge(edge: SiteEdge, caller: Caller, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const connector = edgeLink(edge, caller).connector(timeoutMs);
    connector({ hostname: '', protocol: 'http:', port: '' }, (...[error, socket]) => {
      socket?.destroy();
      resolve(error === null);
    });
  });
}
