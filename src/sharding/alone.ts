// Sharding for the only process of an edge that serves players: it owns every channel.

import type { Picks } from '../balancer/balancer.js';
import { WeirError } from '../errors.js';
import { answerError } from '../http/exchange.js';
import type { RouteHandler } from '../http/server.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { EdgeServer, PeerServer, Sharding, ShardingParts } from './sharding.js';

const nothingElsewhere: RouteHandler = {
  handle: (exchange, _route, response) => answerError(exchange, response, new WeirError('not_owner')),
  holds: () => false,
};
const nobodyAsks: PeerServer & EdgeServer = { listen: async () => undefined, drain: async () => {}, close: () => {} };

/** Sharding for a single process: it owns every channel, and no other one asks it. */
export class Alone implements Sharding {
  readonly store: SnapshotStore;
  readonly picks: Picks;

  constructor({ store, balancer }: Pick<ShardingParts, 'store' | 'balancer'>) {
    this.store = store;
    this.picks = balancer;
  }

  elsewhere(): undefined {}

  owns(): boolean {
    return true;
  }

  createHlsElsewhere(): RouteHandler {
    return nothingElsewhere;
  }

  createPeerServer(): PeerServer {
    return nobodyAsks;
  }

  createEdgeServer(): EdgeServer {
    return nobodyAsks;
  }

  createFromWorker(): RouteHandler {
    return nothingElsewhere;
  }

  setMembers(): void {}

  setSite(): void {}

  peerFailed(): void {}

  keepOwn(): void {}

  close(): void {}
}
