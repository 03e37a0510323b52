// One of several processes that share channels: it owns some of them, takes the others from their owners, and serves its own to
// them. The others are workers of the same edge, and with `fleet.hub` edges of the same site.

import type { Balancer, Picks } from '../balancer/balancer.js';
import type { WeirError } from '../errors.js';
import type { HlsSessions } from '../hls/index.js';
import type { EdgeContext } from '../http/exchange.js';
import type { RequestHandlers, RouteHandler } from '../http/server.js';
import type { ChannelName, PeerKind, ServerOrigin } from '../model.js';
import { edgeServer, peerServer } from '../net-address.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import type { UpstreamClient } from '../upstream/client.js';
import { toSocketPath } from '../upstream/connector.js';
import { isUnreachable } from '../upstream/judge.js';
import type { PeerLink, Pools } from '../upstream/pools.js';
import { type Caller, edgeLink, probeEdge } from './edge-link.js';
import { fromWorker } from './from-worker.js';
import { OwnersHls } from './hls-handler.js';
import { Neighbours, type Site } from './neighbours.js';
import type { Member } from './owner.js';
import { PeerPicks } from './picks.js';
import { idOf } from './proof.js';
import { createEdgeServer, createPeerServer } from './server.js';
import type { EdgeServer, HubParts, OwnPlace, PeerServer, Sharding, ShardingParts } from './sharding.js';
import { PeerView } from './view.js';

interface Hub {
  readonly neighbours: Neighbours;
  readonly caller: Caller;
  readonly metrics: HubParts['metrics'];
}

/** Sharding for one of several processes. Before it hears of members and edges it knows of no other one. */
export class Sharded implements Sharding {
  readonly store: ChannelSource;
  readonly picks: Picks;
  readonly #self: Member | undefined;
  readonly #hub: Hub | undefined;
  readonly #view: PeerView;
  readonly #registered: SnapshotStore;
  readonly #balancer: Balancer;
  readonly #pools: Pools;
  readonly #client: UpstreamClient;
  #members: readonly Member[] = [];

  /** @param hub undefined: no channel is taken from another edge */
  constructor(self: OwnPlace, { store, balancer, pools, client }: ShardingParts, hub: HubParts | undefined) {
    this.#self = self === 'alone' ? undefined : self;
    this.#hub = hub === undefined ? undefined : this.#createHub(hub);
    const neighbours = this.#hub?.neighbours;
    this.#view = new PeerView(this.#self?.name ?? '', store, neighbours);
    this.#registered = store;
    this.#balancer = balancer;
    this.#pools = pools;
    this.#client = client;
    this.store = this.#view;
    this.picks = new PeerPicks(this.#view, balancer, neighbours);
  }

  elsewhere(channel: ChannelName): PeerKind | undefined {
    return this.#view.elsewhere(channel)?.kind;
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
    const { socket } = this.#self ?? {};
    if (socket === undefined) return { listen: async () => {}, drain: async () => {}, close: () => {} };
    return createPeerServer(edge, this.#registered, handlers, socket);
  }

  createEdgeServer(edge: EdgeContext, handlers: RequestHandlers): EdgeServer {
    const hub = this.#hub;
    if (hub === undefined) return { listen: async () => undefined, drain: async () => {}, close: () => {} };
    const { caller, neighbours, metrics } = hub;
    return createEdgeServer(edge, this.#registered, handlers, {
      secret: caller.secret,
      id: () => (neighbours.self === '' ? undefined : idOf(caller.site, neighbours.self)),
      maxConnections: () => edge.settings.maxConnections,
      outcome: (outcome) => metrics.hubConnections.inc({ outcome }),
      logger: edge.logger,
    });
  }

  createFromWorker(): RouteHandler {
    return fromWorker(this.#client, (channel) => this.#view.elsewhere(channel));
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members;
    this.#setLinks();
    this.#view.setMembers(members);
    this.#balancer.setWorkers(Math.max(1, members.length));
  }

  setSite(site: Site): void {
    this.#hub?.neighbours.set(site);
    this.#setLinks();
  }

  peerFailed(server: ServerOrigin, error: WeirError): void {
    const neighbours = this.#hub?.neighbours;
    if (neighbours === undefined || !isUnreachable(error)) return;
    const edge = neighbours.others.find(({ name }) => edgeServer(name) === server);
    if (edge !== undefined) neighbours.unreachable(edge.name);
  }

  keepOwn(): void {
    if (this.#self !== undefined) this.#view.keepOwn(this.#self);
  }

  close(): void {
    this.#hub?.neighbours.close();
  }

  #createHub({ site, secret, destinations, connectTimeoutMs, metrics, now }: HubParts): Hub {
    const neighbours: Neighbours = new Neighbours({
      now,
      probe: (edge) => probeEdge(edge, caller, connectTimeoutMs),
      changed: (channels) => this.#view.ownersChanged(channels),
      avoided: (cause) => metrics.hubAvoided.inc({ cause }),
    });
    const caller: Caller = { site, name: () => neighbours.self, secret, destinations };
    return { neighbours, caller, metrics };
  }

  #setLinks(): void {
    const links = new Map<ServerOrigin, PeerLink>();
    for (const { name, socket } of this.#members) {
      links.set(peerServer(name), { place: socket, connector: (timeoutMs) => toSocketPath(socket, timeoutMs) });
    }
    for (const edge of this.#hub?.neighbours.others ?? []) {
      if (this.#hub !== undefined) links.set(edgeServer(edge.name), edgeLink(edge, this.#hub.caller));
    }
    this.#pools.setPeers(links);
  }
}
