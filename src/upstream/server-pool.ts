// The connections to one server, with a count of the requests on them: undici would queue without a bound.

import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { WeirError } from '../errors.js';

export interface ConnectionSettings {
  /** ms that an idle connection is kept. */
  readonly keepAliveTimeout: number;
}

/** The connections to one server. */
export class ServerPool {
  /** Requests under way. */
  running = 0;
  readonly #origin: string;
  readonly #limit: () => number;
  readonly #options: Client.Options;
  readonly #pool: Pool;
  /** Connections that serve one request each. */
  readonly #single = new Set<Client>();

  /** @param limit requests under way at most */
  constructor(origin: string, connect: buildConnector.connector, limit: () => number, settings: ConnectionSettings) {
    const { keepAliveTimeout } = settings;
    this.#origin = origin;
    this.#limit = limit;
    this.#options = {
      connect,
      pipelining: 1,
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      // Both deadlines are the client's: the first body byte has one that undici does not know.
      headersTimeout: 0,
    };
    // As many connections as requests: `enter` bounds them.
    this.#pool = new Pool(origin, { ...this.#options, connections: null });
  }

  /** Takes a place for one request, to be given back once. @throws WeirError upstream_busy when there is none */
  enter(): void {
    if (this.running >= this.#limit()) throw new WeirError('upstream_busy');
    this.running += 1;
  }

  leave(): void {
    this.running -= 1;
  }

  /** @param fresh on a new connection that serves only this request */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, fresh: boolean): void {
    if (!fresh) {
      this.#pool.dispatch({ ...options, origin: this.#origin }, handler);
      return;
    }
    const client = new Client(this.#origin, this.#options);
    this.#single.add(client);
    client.dispatch({ ...options, origin: this.#origin }, handler);
    const forget = () => this.#single.delete(client);
    client.close().then(forget, forget);
  }

  /** Running requests end as they do, then the connections. */
  close(): void {
    this.#pool.close().catch(() => undefined);
  }

  /** Ends every connection at once. */
  async destroy(): Promise<void> {
    await Promise.all([this.#pool, ...this.#single].map((dispatcher) => dispatcher.destroy()));
  }
}
