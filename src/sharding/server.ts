// The servers from which peers take the channels of this process: other workers by a Unix socket, other edges by TCP.

import type { EdgeContext } from '../http/exchange.js';
import { DataServer, type RequestHandlers } from '../http/server.js';
import { createMetrics } from '../metrics.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { EdgeListener, type EdgeListenerOptions } from './edge-listener.js';
import type { EdgeServer, PeerServer } from './sharding.js';

/** @param via its own in `Via`, where that is another one than the players' */
function forPeers(edge: EdgeContext, via = edge.via): EdgeContext {
  // Bytes between peers do not count into the players' totals.
  return { ...edge, audience: 'peers', log: { requests: false }, metrics: createMetrics({ process: false }), via };
}

/** @param socketPath of the Unix socket that it is to listen on */
export function createPeerServer(
  edge: EdgeContext,
  registered: SnapshotStore,
  handlers: RequestHandlers,
  socketPath: string,
): PeerServer {
  // Its own requests come in here, through another worker.
  const server = new DataServer(forPeers(edge, `${edge.via}-worker`), registered, handlers);
  return {
    listen: () => server.listenOnPath(socketPath),
    drain: (grace) => server.drain(grace, 'shutdown'),
    close: () => server.close(),
  };
}

/** What comes through this edge again is refused, by `Via`. */
export function createEdgeServer(
  edge: EdgeContext,
  registered: SnapshotStore,
  handlers: RequestHandlers,
  options: Omit<EdgeListenerOptions, 'accept'>,
): EdgeServer {
  const server = new DataServer(forPeers(edge), registered, handlers);
  const listener = new EdgeListener({ ...options, accept: (socket) => server.adopt(socket) });
  return {
    listen: (where) => listener.listen(where),
    drain: (grace) => listener.drain(grace),
    close: () => {
      listener.close();
      server.close();
    },
  };
}
