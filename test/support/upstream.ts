// An upstream client in front of real servers, and an answer heard to its end.

import type { IncomingHttpHeaders } from 'node:http';
import type { WeirError } from '../../src/errors.js';
import type { Endpoint, ServerOrigin } from '../../src/model.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import {
  type ClientObserver,
  createUpstreamClient,
  type UpstreamClient,
  type UpstreamRequest,
} from '../../src/upstream/client.js';
import { Destinations } from '../../src/upstream/destinations.js';
import { type PoolSettings, Pools } from '../../src/upstream/pools.js';

export interface TestUpstream {
  readonly store: SnapshotStore;
  readonly pools: Pools;
  readonly destinations: Destinations;
  readonly client: UpstreamClient;
  /** Replaces everything that is registered. */
  register(...endpoints: Endpoint[]): void;
}

export function createUpstream(
  settings: Partial<PoolSettings> & { readonly firstByteTimeout?: number; readonly allow?: readonly string[] } = {},
  observer: ClientObserver = {},
): TestUpstream {
  const store = new SnapshotStore();
  const all = { connectTimeout: 5_000, keepAliveTimeout: 30_000, connections: 100, peerConnections: 100, ...settings };
  const destinations = new Destinations(settings.allow ?? ['127.0.0.0/8']);
  const pools = new Pools(store, destinations, all);
  const client = createUpstreamClient(pools, { firstByteTimeout: 10_000, idleTimeout: 10_000, ...settings }, observer);
  let revision = 0;
  return {
    store,
    pools,
    destinations,
    client,
    register: (...endpoints) => {
      revision += 1;
      store.accept({ kind: 'full', revision, state: 'live', endpoints });
    },
  };
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Resolves with the whole answer, rejects with the WeirError. */
export function ask(
  client: UpstreamClient,
  address: string,
  path: string,
  more: Partial<UpstreamRequest> = {},
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    let head: { status: number; headers: IncomingHttpHeaders } | undefined;
    let body = '';
    client.send(
      { server: `http://${address}` as ServerOrigin, path, method: 'GET', headers: {}, ...more },
      {
        onResponse: (status, headers) => {
          head = { status, headers };
        },
        onData: (chunk) => {
          body += chunk.toString('latin1');
          return true;
        },
        onEnd: () => resolve({ status: head?.status ?? 0, headers: head?.headers ?? {}, body }),
        onError: (error: WeirError) => reject(error),
      },
    );
  });
}
