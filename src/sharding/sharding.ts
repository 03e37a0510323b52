// How the channels of an edge are divided: one process owns them all (alone), or each of several workers owns some and takes
// the others from their owners (sharded). Users of this interface need not know which.

import type { Balancer, Picks } from '../balancer/balancer.js';
import type { HlsSessions } from '../hls/index.js';
import type { EdgeContext } from '../http/exchange.js';
import type { Ownership } from '../http/routing.js';
import type { RequestHandlers, RouteHandler } from '../http/server.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import type { UpstreamClient } from '../upstream/client.js';
import type { Pools } from '../upstream/pools.js';
import type { Member } from './owner.js';

/** The one process that serves players, or which of several workers. */
export type OwnPlace = 'alone' | Member;

export interface ShardingParts {
  /** What is registered. */
  readonly store: SnapshotStore;
  readonly balancer: Balancer;
  readonly pools: Pools;
  readonly client: UpstreamClient;
}

export interface Sharding extends Ownership {
  /** What streams are pulled by: the endpoints of a channel that is ours, the owner of any other. */
  readonly store: ChannelSource;
  /** Picks among those. */
  readonly picks: Picks;
  /** Answers players' HLS requests for channels that another worker has. */
  createHlsElsewhere(sessions: HlsSessions): RouteHandler;
  /** Where the other workers ask, not listening yet. */
  createPeerServer(edge: EdgeContext, handlers: RequestHandlers): PeerServer;
  /** These workers serve now, this one among them. */
  setMembers(members: readonly Member[]): void;
  /** What it has stays until it is closed, whoever owns it by then. */
  keepOwn(): void;
}

/** Serves the other workers. */
export interface PeerServer {
  /** @throws the system's error when the address cannot be listened on */
  listen(): Promise<void>;
  /** Resolves when nobody is served any more, after `grace` (ms) at the latest. */
  drain(graceMs: number): Promise<void>;
  close(): void;
}
