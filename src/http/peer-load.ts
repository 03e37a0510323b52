// Takes an HLS object from the worker that owns its channel. When that one dies on the way, the next owner has the same
// object: what was received stays, and what is missing comes from there.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../errors.js';
import type { Load } from '../hls/cached-object.js';
import type { ServerOrigin } from '../model.js';
import type { Exchange, UpstreamClient, UpstreamHandler } from '../upstream/client.js';

export interface PeerRequest {
  /** The worker that owns the channel at the moment of the call; undefined while there is none. */
  readonly owner: () => ServerOrigin | undefined;
  /** Path and query, as the player asked. */
  readonly path: string;
  readonly headers: Record<string, string>;
  /** ms that an owner may take, who waits for endpoints itself. */
  readonly firstByteTimeout: number;
  /** ms after which nobody is looked for any more. */
  readonly patience: number;
}

/** ms until the next owner is known. */
const retryInterval = 50;
/** The owner is another one, by its own account. */
const misdirected = new WeirError('not_owner').status;
const retryable = new Set(['worker_lost', 'upstream_connect', 'upstream_connect_timeout', 'upstream_cut']);

export function createPeerLoad(client: UpstreamClient, request: PeerRequest): Load {
  return (conditions, handler) => {
    const load = new PeerLoad(client, request, conditions, handler);
    load.start();
    return load;
  };
}

class PeerLoad implements Exchange {
  readonly #client: UpstreamClient;
  readonly #request: PeerRequest;
  readonly #headers: Record<string, string>;
  readonly #handler: UpstreamHandler;
  readonly #until: number;
  #exchange: Exchange | undefined;
  #timer: NodeJS.Timeout | undefined;
  #head: { readonly status: number; readonly length: string | undefined } | undefined;
  #received = 0;
  /** Bytes to come that are here already. */
  #skip = 0;

  constructor(
    client: UpstreamClient,
    request: PeerRequest,
    conditions: Record<string, string>,
    handler: UpstreamHandler,
  ) {
    this.#client = client;
    this.#request = request;
    this.#headers = { ...request.headers, ...conditions };
    this.#handler = handler;
    this.#until = performance.now() + request.patience;
  }

  start(): void {
    const server = this.#request.owner();
    if (server === undefined) {
      this.#again(new WeirError('worker_lost'));
      return;
    }
    const { path, firstByteTimeout } = this.#request;
    this.#skip = this.#received;
    this.#exchange = this.#client.send(
      { server, path, method: 'GET', headers: this.#headers, firstByteTimeout },
      {
        onResponse: (status, headers) => this.#onResponse(status, headers),
        onData: (chunk) => this.#onData(chunk),
        onEnd: () => this.#handler.onEnd(),
        onError: (error) => this.#again(error),
      },
    );
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    clearTimeout(this.#timer);
    this.#exchange?.abort();
  }

  #onResponse(status: number, headers: IncomingHttpHeaders): void {
    if (status === misdirected) {
      this.#exchange?.abort();
      this.#again(new WeirError('worker_lost'));
      return;
    }
    const length = headers['content-length'];
    if (this.#head === undefined) {
      this.#head = { status, length };
      this.#handler.onResponse(status, headers);
    } else if (this.#head.status !== status || this.#head.length === undefined || this.#head.length !== length) {
      this.#exchange?.abort();
      this.#handler.onError(new WeirError('upstream_cut'));
    }
  }

  #onData(chunk: Buffer): boolean {
    const known = Math.min(this.#skip, chunk.length);
    this.#skip -= known;
    if (known === chunk.length) return true;
    this.#received += chunk.length - known;
    return this.#handler.onData(known === 0 ? chunk : chunk.subarray(known));
  }

  #again(error: WeirError): void {
    if (!retryable.has(error.code) || performance.now() >= this.#until) {
      // Whoever loads hears of nothing before it has the exchange.
      queueMicrotask(() => this.#handler.onError(error));
      return;
    }
    this.#timer = setTimeout(() => this.start(), retryInterval);
  }
}
