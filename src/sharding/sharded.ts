// One of several workers: it owns some of the channels, takes the others from their owners, and serves its own to them.

import type { Balancer, Picks } from '../balancer/balancer.js';
import type { HlsSessions } from '../hls/index.js';
import type { EdgeContext } from '../http/exchange.js';
import type { RequestHandlers, RouteHandler } from '../http/server.js';
import type { ChannelName } from '../model.js';
import { peerServer } from '../net-address.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import type { UpstreamClient } from '../upstream/client.js';
import type { Pools } from '../upstream/pools.js';
import { OwnersHls } from './hls-handler.js';
import type { Member } from './owner.js';
import { PeerPicks } from './picks.js';
import { createPeerServer } from './server.js';
import type { PeerServer, Sharding, ShardingParts } from './sharding.js';
import { PeerView } from './view.js';

/** Sharding for one of several workers. Before it hears of members it knows of no other worker. */
export class Sharded implements Sharding {
  readonly store: ChannelSource;
  readonly picks: Picks;
  readonly #self: Member;
  readonly #view: PeerView;
  readonly #registered: SnapshotStore;
  readonly #balancer: Balancer;
  readonly #pools: Pools;
  readonly #client: UpstreamClient;

  constructor(self: Member, { store, balancer, pools, client }: ShardingParts) {
    this.#self = self;
    this.#view = new PeerView(self.name, store);
    this.#registered = store;
    this.#balancer = balancer;
    this.#pools = pools;
    this.#client = client;
    this.store = this.#view;
    this.picks = new PeerPicks(this.#view, balancer);
  }

  isElsewhere(channel: ChannelName): boolean {
    return this.#view.isElsewhere(channel);
  }

  owns(channel: ChannelName): boolean {
    return this.#view.owns(channel);
  }

  createHlsElsewhere(sessions: HlsSessions): RouteHandler {
    const ownerOf = (channel: ChannelName) => {
      const owner = this.#view.ownerOf(channel);
      return owner === undefined ? undefined : peerServer(owner.name);
    };
    return new OwnersHls({ sessions, client: this.#client, ownerOf });
  }

  createPeerServer(edge: EdgeContext, handlers: RequestHandlers): PeerServer {
    return createPeerServer(edge, this.#registered, handlers, this.#self.socket);
  }

  setMembers(members: readonly Member[]): void {
    this.#pools.setPeers(new Map(members.map(({ name, socket }) => [peerServer(name), socket])));
    this.#view.setMembers(members);
    this.#balancer.setWorkers(Math.max(1, members.length));
  }

  keepOwn(): void {
    this.#view.keepOwn(this.#self);
  }
}
