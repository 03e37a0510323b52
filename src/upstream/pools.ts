// Keep-alive connections, one pool per server, kept while the server is registered. Servers to which endpoints redirect have
// a few pools more, and the least recently used of those is closed first.

import type { buildConnector } from 'undici';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { isPeer } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { endpointsById } from '../snapshot/update.js';
import { isRefused, toEndpoint } from './connector.js';
import type { Destinations } from './destinations.js';
import { RegisteredServers } from './registered-servers.js';
import { ServerPool } from './server-pool.js';

/** Read anew for each connection. */
export interface PoolSettings {
  /** ms */
  readonly connectTimeout: number;
  /** ms */
  readonly keepAliveTimeout: number;
  /** Requests under way to one server at most. */
  readonly connections: number;
  /** Requests under way to one peer at most. */
  readonly peerConnections: number;
}

/** The way to a peer: another worker of this edge, or another edge. */
export interface PeerLink {
  /** Where it is. When that is another place, the connections of before are closed. */
  readonly place: string;
  /** Makes connections, each within `timeoutMs`. */
  readonly connector: (timeoutMs: number) => buildConnector.connector;
}

/** Pools of servers that are not registered, at most. */
const maxGuests = 64;

/** All connections of a process to endpoints and peers. Subscribed to the store until `close`. */
export class Pools {
  readonly #pools = new Map<ServerOrigin, ServerPool>();
  /** Those of servers that nobody registered, the least recently used first. */
  readonly #guests = new Set<ServerOrigin>();
  readonly #settings: PoolSettings;
  readonly #destinations: Destinations;
  readonly #registered = new RegisteredServers();
  #peers: ReadonlyMap<ServerOrigin, PeerLink> = new Map();
  readonly #unsubscribe: () => void;

  constructor(store: SnapshotStore, destinations: Destinations, settings: PoolSettings) {
    this.#destinations = destinations;
    this.#settings = settings;
    this.#registered.apply({ put: [...endpointsById(store.current).values()], drop: [] });
    // Running requests end as they do; only then the connections go.
    this.#unsubscribe = store.subscribe((_snapshot, change) => {
      for (const server of this.#registered.apply(change)) this.#close(server);
    }, 'connections');
  }

  /**
   * The pool of a server, made when there is none.
   *
   * @throws WeirError address_refused for an IP address that may not be connected to (names are judged when they are
   *   resolved), worker_lost for a peer that is gone, upstream_busy for a server that is not registered when too many such
   *   servers are in use
   */
  of(server: ServerOrigin): ServerPool {
    const known = this.#pools.get(server);
    if (known !== undefined) {
      if (this.#guests.delete(server)) this.#guests.add(server);
      return known;
    }
    const pool = isPeer(server) ? this.#toPeer(server) : this.#toEndpoint(server);
    this.#pools.set(server, pool);
    return pool;
  }

  #toEndpoint(server: ServerOrigin): ServerPool {
    if (isRefused(server, this.#destinations)) throw new WeirError('address_refused');
    if (!this.#registered.has(server)) this.#makeRoomFor(server);
    const connect = toEndpoint(server, this.#destinations, this.#settings.connectTimeout);
    return new ServerPool(server, connect, () => this.#settings.connections, this.#settings);
  }

  #toPeer(server: ServerOrigin): ServerPool {
    const link = this.#peers.get(server);
    if (link === undefined) throw new WeirError('worker_lost');
    const connect = link.connector(this.#settings.connectTimeout);
    return new ServerPool('http://peer', connect, () => this.#settings.peerConnections, this.#settings);
  }

  #makeRoomFor(server: ServerOrigin): void {
    if (this.#guests.size >= maxGuests) {
      const idle = [...this.#guests].find((guest) => this.#pools.get(guest)?.running === 0);
      if (idle === undefined) throw new WeirError('upstream_busy', { detail: 'Too many redirects are under way.' });
      this.#close(idle);
    }
    this.#guests.add(server);
  }

  /** All peers there are now. */
  setPeers(peers: ReadonlyMap<ServerOrigin, PeerLink>): void {
    const before = this.#peers;
    this.#peers = peers;
    for (const server of [...this.#pools.keys()]) {
      if (isPeer(server) && before.get(server)?.place !== peers.get(server)?.place) this.#close(server);
    }
  }

  /** Ends every connection, running requests included. */
  async close(): Promise<void> {
    this.#unsubscribe();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#guests.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #close(server: ServerOrigin): void {
    const pool = this.#pools.get(server);
    this.#pools.delete(server);
    this.#guests.delete(server);
    pool?.close();
  }
}
