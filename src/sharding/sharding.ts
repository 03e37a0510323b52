// How channels are divided: one process owns them all (alone), or each of several owns some and takes the others from their
// owners (sharded): other workers of the edge, other edges of the site. Users of this interface need not know which.

import type { AddressInfo } from 'node:net';
import type { Balancer, Picks } from '../balancer/balancer.js';
import type { WeirError } from '../errors.js';
import type { HlsSessions } from '../hls/index.js';
import type { EdgeContext } from '../http/exchange.js';
import type { SharedSocket } from '../http/intake.js';
import type { Ownership } from '../http/routing.js';
import type { RequestHandlers, RouteHandler } from '../http/server.js';
import type { Metrics } from '../metrics.js';
import type { ServerOrigin } from '../model.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import type { UpstreamClient } from '../upstream/client.js';
import type { Destinations } from '../upstream/destinations.js';
import type { Pools } from '../upstream/pools.js';
import type { Site } from './neighbours.js';
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

/** What it takes to share channels with the other edges of the site. */
export interface HubParts {
  readonly site: string;
  readonly secret: string;
  /** Where other edges may be connected to. */
  readonly destinations: Destinations;
  /** ms, for a connection with its proof. */
  readonly connectTimeoutMs: number;
  readonly metrics: Metrics;
  /** Monotonic ms. */
  readonly now: () => number;
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
  /** Where other edges ask, not listening yet. */
  createEdgeServer(edge: EdgeContext, handlers: RequestHandlers): EdgeServer;
  /** Answers other edges' requests for FLV of channels that another worker has. */
  createFromWorker(): RouteHandler;
  /** These workers serve now, this one among them. */
  setMembers(members: readonly Member[]): void;
  /** These edges are there now. */
  setSite(site: Site): void;
  /** A request to a peer failed. */
  peerFailed(server: ServerOrigin, error: WeirError): void;
  /** What it has stays until it is closed, whoever owns it by then. */
  keepOwn(): void;
  close(): void;
}

/** Serves the other workers. */
export interface PeerServer {
  /** @throws the system's error when the address cannot be listened on */
  listen(): Promise<void>;
  /** Resolves when nobody is served any more, after `grace` (ms) at the latest. */
  drain(graceMs: number): Promise<void>;
  close(): void;
}

/** Serves the other edges. */
export interface EdgeServer extends Omit<PeerServer, 'listen'> {
  /**
   * @param where an address, or a socket that the edge's other processes accept from too
   * @throws the system's error when it cannot be listened on
   */
  listen(where: string | SharedSocket): Promise<AddressInfo | undefined>;
}
