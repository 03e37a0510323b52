// Keep-alive connections, one pool a server: kept while the server is registered; others, to which endpoints redirect, are
// few and give way to each other.

import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { isPeer, serverOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { isRefused, toEndpoint, toSocketPath } from './connector.js';
import type { Destinations } from './destinations.js';
import { ServerPool } from './server-pool.js';

/** Read when they are needed. */
export interface PoolSettings {
  /** ms */
  readonly connectTimeout: number;
  /** ms */
  readonly keepAliveTimeout: number;
  /** Requests under way to one server at most. */
  readonly connections: number;
  /** Requests under way to another worker at most. */
  readonly peerConnections: number;
}

/** Pools of servers that are not registered, at most. */
const mostGuests = 64;

export class Pools {
  readonly #pools = new Map<ServerOrigin, ServerPool>();
  /** Those of servers that nobody registered, the least recently used first. */
  readonly #guests = new Set<ServerOrigin>();
  readonly #settings: PoolSettings;
  readonly #destinations: Destinations;
  readonly #store: SnapshotStore;
  #peers: ReadonlyMap<ServerOrigin, string> = new Map();
  readonly #unsubscribe: () => void;

  constructor(store: SnapshotStore, destinations: Destinations, settings: PoolSettings) {
    this.#store = store;
    this.#destinations = destinations;
    this.#settings = settings;
    this.#unsubscribe = store.subscribe((_snapshot, change) => {
      if (change.drop.length > 0) this.#closeUnused(new Set(change.drop.map((endpoint) => serverOf(endpoint.address))));
    });
  }

  /**
   * Throws a WeirError: address_refused for an IP address that may not be connected to (names are judged when they are
   * resolved), worker_lost for a worker that is gone, upstream_busy for a server that nobody registered when too many such
   * are in use.
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
    if (!this.#isRegistered(server)) this.#makeRoomFor(server);
    const connect = toEndpoint(server, this.#destinations, this.#settings.connectTimeout);
    return new ServerPool(server, connect, () => this.#settings.connections, this.#settings);
  }

  #toPeer(server: ServerOrigin): ServerPool {
    const socketPath = this.#peers.get(server);
    if (socketPath === undefined) throw new WeirError('worker_lost');
    const connect = toSocketPath(socketPath, this.#settings.connectTimeout);
    return new ServerPool('http://worker', connect, () => this.#settings.peerConnections, this.#settings);
  }

  /** Asked only when a pool is made: it looks at every endpoint. */
  #isRegistered(server: ServerOrigin): boolean {
    for (const { endpoints } of this.#store.current.channels.values()) {
      if (endpoints.some(({ address }) => serverOf(address) === server)) return true;
    }
    return false;
  }

  #makeRoomFor(server: ServerOrigin): void {
    if (this.#guests.size >= mostGuests) {
      const idle = [...this.#guests].find((guest) => this.#pools.get(guest)?.running === 0);
      if (idle === undefined) throw new WeirError('upstream_busy', { detail: 'Too many redirects are under way.' });
      this.#close(idle);
    }
    this.#guests.add(server);
  }

  /** The other workers of this edge, by where they listen. */
  setPeers(sockets: ReadonlyMap<ServerOrigin, string>): void {
    this.#peers = sockets;
    for (const server of [...this.#pools.keys()]) if (isPeer(server) && !sockets.has(server)) this.#close(server);
  }

  get size(): number {
    return this.#pools.size;
  }

  /** Ends every connection, running requests included. */
  async close(): Promise<void> {
    this.#unsubscribe();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#guests.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  /** Running requests end as they do; only then the connections go. */
  #closeUnused(gone: Set<ServerOrigin>): void {
    for (const channel of this.#store.current.channels.values()) {
      if (gone.size === 0) return;
      for (const endpoint of channel.endpoints) gone.delete(serverOf(endpoint.address));
    }
    for (const server of gone) this.#close(server);
  }

  #close(server: ServerOrigin): void {
    const pool = this.#pools.get(server);
    this.#pools.delete(server);
    this.#guests.delete(server);
    pool?.close();
  }
}
