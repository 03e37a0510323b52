// The server from which other workers take the channels of this one.

import type { EdgeContext } from '../http/exchange.js';
import { DataServer, type RequestHandlers } from '../http/server.js';
import { createMetrics } from '../metrics.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { PeerServer } from './sharding.js';

/** @param socketPath of the Unix socket that it is to listen on */
export function createPeerServer(
  edge: EdgeContext,
  registered: SnapshotStore,
  handlers: RequestHandlers,
  socketPath: string,
): PeerServer {
  const forPeers: EdgeContext = {
    ...edge,
    audience: 'peers',
    log: { requests: false },
    // Bytes between workers do not count into the players' totals.
    metrics: createMetrics({ process: false }),
    // Its own requests come in here, through another worker.
    via: `${edge.via}-worker`,
  };
  const server = new DataServer(forPeers, registered, handlers);
  return {
    listen: () => server.listenOnPath(socketPath),
    drain: (grace) => server.drain(grace, 'shutdown'),
    close: () => server.close(),
  };
}
