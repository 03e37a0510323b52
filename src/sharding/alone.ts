// Sharding for the only process of an edge that serves players: it owns every channel.

import type { Picks } from '../balancer/balancer.js';
import { WeirError } from '../errors.js';
import { answerError } from '../http/exchange.js';
import type { RouteHandler } from '../http/server.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { PeerServer, Sharding, ShardingParts } from './sharding.js';

const nothingElsewhere: RouteHandler = {
  handle: (exchange, _route, response) => answerError(exchange, response, new WeirError('not_owner')),
  holds: () => false,
};
const nobodyAsks: PeerServer = { listen: async () => {}, drain: async () => {}, close: () => {} };

/** Sharding for a single process: it owns every channel, and no other worker asks it. */
export class Alone implements Sharding {
  readonly store: SnapshotStore;
  readonly picks: Picks;

  constructor({ store, balancer }: Pick<ShardingParts, 'store' | 'balancer'>) {
    this.store = store;
    this.picks = balancer;
  }

  isElsewhere(): boolean {
    return false;
  }

  owns(): boolean {
    return true;
  }

  createHlsElsewhere(): RouteHandler {
    return nothingElsewhere;
  }

  createPeerServer(): PeerServer {
    return nobodyAsks;
  }

  setMembers(): void {}

  keepOwn(): void {}
}
