// The admin listener: metrics, health and the API. It trusts all clients of its network except web pages: keep it private.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toWeirError, WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { ChannelName, Snapshot } from '../model.js';
import { parseListenAddress } from '../net-address.js';
import type { RegistrySessions } from '../registry/notes.js';
import { Turns } from '../turns.js';
import { Connections } from './connections.js';
import { isTrustedHost } from './host.js';
import { renderChannels, renderSnapshot } from './render.js';

/** awaited: not read yet. out_of_reach: tried again and again. given_up: no retry heals what is wrong; the log says what. */
export type RegistryReach = 'awaited' | 'followed' | 'out_of_reach' | 'given_up';

/** What admin asks of the rest of the edge. */
export interface AdminQueries {
  snapshot(): Snapshot;
  registry(): RegistryReach;
  /** Undefined: the registry has no sessions. */
  sessions(): RegistrySessions | undefined;
  /** True while the edge shuts down. */
  draining(): boolean;
  /** Whether the data listener accepts players. */
  accepting(): boolean;
  /** Prometheus' text format, and its content type. */
  metrics(): Promise<{ type: string; text: string }>;
  /** @throws WeirError unknown_channel */
  explain(channel: ChannelName): Promise<unknown>;
  /** What `/api/v1/NAME` answers, by its name; a list is shown under that name. */
  readonly views: Readonly<Record<string, () => Promise<unknown>>>;
}

/** Answers requests under a path that the server itself does not know; false when the path is unknown here too. */
export type AdminExtension = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean>;

/** ms for the header of a request, and for all of it. */
const headersTimeout = 10_000;
const requestTimeout = 10_000;
/** ms that an idle connection is kept. */
const keepAliveTimeout = 30_000;
/** ms without a byte in either direction. */
const sendTimeout = 60_000;

/** Open to any client under any name: they contain no name of a channel or an endpoint. */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The admin listener, from `listen` to `close`. */
export class AdminServer {
  readonly #server: Server;
  readonly #queries: AdminQueries;
  readonly #extensions: readonly AdminExtension[];
  readonly #logger: Logger;
  readonly #names: readonly string[];
  readonly #turns = new Turns();

  /**
   * @param names by which the API may be asked, beside addresses and names that nobody can register
   * @param connections at once; a further one closes another
   */
  constructor(
    queries: AdminQueries,
    extensions: readonly AdminExtension[],
    names: readonly string[],
    connections: number,
    logger: Logger,
  ) {
    this.#queries = queries;
    this.#extensions = extensions;
    this.#logger = logger;
    this.#names = names;
    this.#server = createServer({ requestTimeout, headersTimeout, keepAliveTimeout, keepAlive: true });
    new Connections(this.#server, connections);
    // A client that reads nothing of its answer, or sends nothing, is closed after this time.
    this.#server.timeout = sendTimeout;
    this.#server.on('request', (request, response) => {
      const answer = () => {
        this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
      };
      if (response.socket !== null) answer();
      else this.#turns.wait(request, response, answer);
    });
  }

  listen(address: string): Promise<AddressInfo> {
    const parsed = parseListenAddress(address);
    if (parsed === undefined) return Promise.reject(new TypeError(`not an address to listen on: ${address}`));
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(parsed, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && !openPaths.has(path) && !isTrustedHost(request.headers.host, this.#names)) {
      throw new WeirError('forbidden', { detail: 'The API is not asked by this name: add it to admin.hosts.' });
    }
    if (isRead && (await this.#read(response, path))) return;
    for (const extension of this.#extensions) if (await extension(request, response, path)) return;
    throw new WeirError(isRead ? 'not_found' : 'method_not_allowed');
  }

  async #read(response: ServerResponse, path: string): Promise<boolean> {
    const queries = this.#queries;
    switch (path) {
      case '/healthz':
        send(response, 200, { status: 'alive' });
        return true;
      case '/readyz': {
        const { state, revision } = queries.snapshot();
        const [draining, accepting, registry] = [queries.draining(), queries.accepting(), queries.registry()];
        const ready = state !== 'pending' && accepting && !draining;
        const seen = queries.sessions();
        // Without the reason, which has addresses of servers.
        const sessions = seen && { open: seen.open, wanted: seen.wanted };
        send(response, ready ? 200 : 503, { snapshot: state, revision, registry, sessions, accepting, draining });
        return true;
      }
      case '/metrics': {
        const { type, text } = await queries.metrics();
        response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
        return true;
      }
      case '/api/v1/registry':
        send(response, 200, { registry: queries.registry(), sessions: queries.sessions() });
        return true;
      case '/api/v1/channels':
        send(response, 200, renderChannels(queries.snapshot()));
        return true;
      case '/api/v1/snapshot':
        send(response, 200, renderSnapshot(queries.snapshot()));
        return true;
      default:
        return (await this.#readView(response, path)) || (await this.#readChannel(response, path));
    }
  }

  async #readView(response: ServerResponse, path: string): Promise<boolean> {
    const name = /^\/api\/v1\/(\w+)$/.exec(path)?.[1] ?? '';
    const { views } = this.#queries;
    const view = Object.hasOwn(views, name) ? await views[name]?.() : undefined;
    if (view === undefined) return false;
    send(response, 200, Array.isArray(view) ? { [name]: view } : view);
    return true;
  }

  async #readChannel(response: ServerResponse, path: string): Promise<boolean> {
    const name = /^\/api\/v1\/channels\/([^/]+)\/explain$/.exec(path)?.[1];
    if (name === undefined) return false;
    let channel: ChannelName;
    try {
      channel = decodeURIComponent(name) as ChannelName;
    } catch {
      throw new WeirError('bad_request', { detail: 'The channel is not percent-encoded UTF-8.' });
    }
    send(response, 200, await this.#queries.explain(channel));
    return true;
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    const error = toWeirError(thrown);
    if (error.side === 'internal') this.#logger.error({ err: thrown }, 'admin request failed');
    if (response.headersSent) response.destroy();
    else send(response, error.status, { error: error.code, message: error.message });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
