// The one process of an edge that serves players: every channel is its own.

import type { Picks } from '../balancer/balancer.js';
import type { RouteHandler } from '../http/server.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { PeerServer, Sharding, ShardingParts } from './sharding.js';

const nobodyAsks: PeerServer = { listen: async () => {}, drain: async () => {}, close: () => {} };

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

  divideHls(own: RouteHandler): RouteHandler {
    return own;
  }

  createPeerServer(): PeerServer {
    return nobodyAsks;
  }

  setMembers(): void {}

  keepOwn(): void {}

  close(): void {}
}
