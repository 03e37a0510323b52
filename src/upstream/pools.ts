// Keep-alive connections, one undici pool per server, closed when the server leaves the snapshot.

import { isIP } from 'node:net';
import { Pool } from 'undici';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { hostOf, isPeer, type Networks, serverOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { allowedLookup } from './allowed-lookup.js';

export interface PoolSettings {
  /** ms */
  readonly connectTimeout: number;
  /** ms */
  readonly keepAliveTimeout: number;
  /** Requests under way to one server at most. */
  readonly connections: number;
}

/** A pool with the count of its running requests: undici would queue without a bound. */
export interface CountedPool {
  readonly pool: Pool;
  running: number;
}

export class Pools {
  readonly #pools = new Map<ServerOrigin, CountedPool>();
  readonly #settings: PoolSettings;
  readonly #allow: Networks;
  readonly #store: SnapshotStore;
  #peers: ReadonlyMap<ServerOrigin, string> = new Map();
  readonly #unsubscribe: () => void;

  constructor(store: SnapshotStore, allow: Networks, settings: PoolSettings) {
    this.#store = store;
    this.#allow = allow;
    this.#settings = settings;
    this.#unsubscribe = store.subscribe((_snapshot, change) => {
      if (change.drop.length > 0) this.#closeUnused(new Set(change.drop.map((endpoint) => serverOf(endpoint.address))));
    });
  }

  /** Throws address_refused for an IP address outside the allowed networks. Names are judged when they are resolved. */
  of(server: ServerOrigin): CountedPool {
    const known = this.#pools.get(server);
    if (known !== undefined) return known;
    const counted = { pool: isPeer(server) ? this.#toPeer(server) : this.#toEndpoint(server), running: 0 };
    this.#pools.set(server, counted);
    return counted;
  }

  #toEndpoint(server: ServerOrigin): Pool {
    const host = hostOf(server);
    if (isIP(host) !== 0 && !this.#allow.has(host)) throw new WeirError('address_refused');
    const { connectTimeout, keepAliveTimeout, connections } = this.#settings;
    return new Pool(server, {
      connections,
      pipelining: 1,
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      // Both deadlines are the client's: the first body byte has one that undici does not know.
      headersTimeout: 0,
      connect: { timeout: connectTimeout, lookup: allowedLookup(this.#allow) },
    });
  }

  #toPeer(server: ServerOrigin): Pool {
    const socketPath = this.#peers.get(server);
    if (socketPath === undefined) throw new WeirError('worker_lost');
    const { connectTimeout, keepAliveTimeout, connections } = this.#settings;
    return new Pool('http://worker', {
      connections,
      pipelining: 1,
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      headersTimeout: 0,
      connect: { timeout: connectTimeout, socketPath },
    });
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
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
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
    const counted = this.#pools.get(server);
    this.#pools.delete(server);
    counted?.pool.close().catch(() => undefined);
  }
}
