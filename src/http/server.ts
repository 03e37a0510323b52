// The data listener: limits, the first checks of every request, and draining.

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, type Socket, Server as TcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';
import { parseListenAddress } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { Turns } from '../turns.js';
import { admit, endWhenExpired } from './admission.js';
import { errorBytes } from './error-answer.js';
import { answerError, type EdgeContext, PlayerExchange } from './exchange.js';
import { hasLongBody, isHostValid, isLoop, mayOpenWebSocket, preflightHeaders } from './headers.js';
import { backlog, Intake, type SharedSocket } from './intake.js';
import { parseRoute, type Route } from './route.js';
import { refuseUpgrade } from './websocket.js';

/** Answers GET and HEAD of some kind of route. */
export interface RouteHandler {
  /** Never throws. */
  handle(exchange: PlayerExchange, route: Route, response: ServerResponse): void;
  /** Whether a channel that nobody registers any more still has players who wait for it. */
  holds(channel: ChannelName): boolean;
}

/** The handlers of requests whose route is known. */
export interface RequestHandlers extends RouteHandler {
  /** Takes over a connection that asks for WebSocket. Never throws. */
  upgrade(exchange: PlayerExchange, route: Route, socket: Socket, head: Buffer): void;
}

/** How often Node looks for connections whose header is late, in ms. */
const connectionsCheckingInterval = 1_000;
/** Silence on a connection until TCP looks whether the other side is still there, in ms. */
const keepAliveInitialDelay = 60_000;

/** The listener of players, or of other workers. Its limits are settings, read anew by `configure`. */
export class DataServer {
  readonly #server: Server;
  /** How much of a shared listening socket it takes. */
  readonly intake: Intake;
  readonly #edge: EdgeContext;
  readonly #handlers: RequestHandlers;
  readonly #store: SnapshotStore;
  readonly #upgraded = new Set<Socket>();
  /** The latest answer on each connection; with it, all before it are over. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  readonly #turns = new Turns();

  constructor(edge: EdgeContext, store: SnapshotStore, handlers: RequestHandlers) {
    this.#edge = edge;
    this.#store = store;
    this.#handlers = handlers;
    const { settings, metrics } = edge;
    this.#server = createServer({
      maxHeaderSize: settings.maxHeaderSize,
      headersTimeout: settings.headersTimeout,
      // Bodies of requests are never read: only the header has a deadline.
      requestTimeout: settings.headersTimeout,
      keepAliveTimeout: settings.keepAliveTimeout,
      connectionsCheckingInterval,
      noDelay: true,
      // A player that vanished is noticed also where nothing is sent.
      keepAlive: true,
      keepAliveInitialDelay,
    });
    this.configure();
    this.#server.timeout = settings.sendTimeout;
    this.intake = new Intake(this.#server);
    this.#server.on('connection', (socket) => {
      metrics.counts.connections += 1;
      socket.on('close', () => {
        metrics.counts.connections -= 1;
      });
    });
    this.#server.on('drop', () => metrics.connectionsRefused.inc());
    this.#server.on('request', (request, response) => {
      this.#answers.set(request.socket, response);
      if (response.socket !== null) this.#onRequest(request, response);
      else this.#turns.wait(request, response, () => this.#onRequest(request, response));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head));
    this.#server.on('timeout', (socket) => this.#onTimeout(socket));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
  }

  /** Resolves with the address it listens on; rejects when it cannot. */
  async listen(address: string): Promise<AddressInfo> {
    const parsed = parseListenAddress(address);
    if (parsed === undefined) throw new TypeError(`not an address to listen on: ${address}`);
    await this.#listening(() => this.#server.listen({ ...parsed, backlog }));
    return this.#server.address() as AddressInfo;
  }

  /** Accepts from a socket that other processes accept from too. */
  listenOnShared(socket: SharedSocket): Promise<void> {
    return this.#listening(() => this.#server.listen(socket, backlog));
  }

  /** Serves on a Unix socket. */
  listenOnPath(path: string): Promise<void> {
    return this.#listening(() => this.#server.listen({ path, backlog }));
  }

  /** Serves a connection that was accepted elsewhere. */
  adopt(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  #listening(listen: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', () => {
        this.#server.off('error', reject);
        resolve();
      });
      listen();
    });
  }

  /** Takes the limits from the settings again. */
  configure(): void {
    const { audience, settings } = this.#edge;
    // Other workers have players of their own, and ask for no more than these.
    this.#server.maxConnections = audience === 'players' ? settings.maxConnections : Number.POSITIVE_INFINITY;
  }

  /**
   * Accepts no more players and lets those who are here finish for `graceMs`; then closes what is left. Idle connections
   * end at once where the edge ends; where another process goes on in its place (`handover`), each is told to close with
   * the answer to its next request, since a connection closed while a request is on its way is a failed request.
   */
  async drain(graceMs: number, end: 'shutdown' | 'handover'): Promise<void> {
    this.intake.end();
    const closed = new Promise<void>((resolve) => this.#stopAccepting(end, () => resolve()));
    // A connection that was kept alive becomes idle at the end of its request, not now.
    const sweep = end === 'shutdown' ? setInterval(() => this.#server.closeIdleConnections(), 100) : undefined;
    const deadline = setTimeout(() => this.close(), graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(deadline);
  }

  #stopAccepting(end: 'shutdown' | 'handover', closed: () => void): void {
    if (end === 'shutdown') this.#server.close(closed);
    // The HTTP server's own `close` would close idle connections too.
    else TcpServer.prototype.close.call(this.#server, closed);
  }

  /** Closes every connection at once. */
  close(): void {
    this.intake.end();
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    // The connection ends with the answer, and the body stays unread.
    if (hasLongBody(request)) response.shouldKeepAlive = false;
    const exchange = new PlayerExchange(request, this.#edge);
    response.on('close', () => exchange.ended());
    const { method } = request;
    if (method === 'OPTIONS') return this.#answerOptions(exchange, response);
    if (method !== 'GET' && method !== 'HEAD') {
      return answerError(exchange, response, new WeirError('method_not_allowed'));
    }
    const route = this.#admitted(exchange);
    if (route instanceof WeirError) return answerError(exchange, response, route);
    exchange.protocol = route.kind === 'flv' ? 'flv' : 'hls';
    if (route.kind === 'flv') endWhenExpired(exchange, request.socket, response);
    exchange.channel = route.channel;
    this.#handlers.handle(exchange, route, response);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node does not wait for the answers before it, and two answers at once on a connection are none.
    if (this.#isAnswering(socket)) {
      socket.destroy();
      return;
    }
    this.#upgraded.add(socket);
    // The HTTP server's own listener is gone with the upgrade.
    socket.on('timeout', () => this.#onTimeout(socket));
    socket.on('close', () => this.#upgraded.delete(socket));
    // A player that resets its connection is no error of ours.
    socket.on('error', () => socket.destroy());
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return this.#ignoreUpgrade(request, socket);
    const exchange = new PlayerExchange(request, this.#edge);
    exchange.protocol = 'ws-flv';
    const route = this.#admitted(exchange);
    if (route instanceof WeirError) return refuseUpgrade(socket, exchange, route);
    endWhenExpired(exchange, socket, socket);
    exchange.channel = route.channel;
    if (!mayOpenWebSocket(this.#edge.settings.cors, request.headers)) {
      return refuseUpgrade(
        socket,
        exchange,
        new WeirError('forbidden', { detail: 'Pages of this origin may not play: http.cors does not name it.' }),
      );
    }
    if (request.method !== 'GET' || route.kind !== 'flv') {
      return refuseUpgrade(
        socket,
        exchange,
        new WeirError('bad_request', { detail: 'Only .flv upgrades to WebSocket.' }),
      );
    }
    this.#handlers.upgrade(exchange, route, socket, head);
  }

  /**
   * To anything but WebSocket no server must upgrade (RFC 9110, section 7.8), and some clients offer h2c with every request.
   * Node has taken its parser off the connection, so this answer is the last one on it.
   */
  #ignoreUpgrade(request: IncomingMessage, socket: Socket): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on('finish', () => socket.destroySoon());
    socket.on('drain', () => response.emit('drain'));
    socket.on('end', () => socket.destroy());
    // What else comes in is not looked at, but for its end.
    socket.resume();
    this.#answers.set(socket, response);
    this.#onRequest(request, response);
  }

  /** The route, for who may take it. */
  #admitted(exchange: PlayerExchange): Route | WeirError {
    return admit(this.#edge.access, exchange, this.#route(exchange), exchange.request.url ?? '/');
  }

  #route(exchange: PlayerExchange): Route | WeirError {
    const { request } = exchange;
    if (!isHostValid(request)) return new WeirError('bad_request', { detail: 'One valid Host is needed.' });
    const target = request.url ?? '/';
    if (target.length > this.#edge.settings.maxUrlLength) return new WeirError('uri_too_long');
    if (isLoop(request.headers, this.#edge.via)) return new WeirError('loop_detected');
    const { channels, state } = this.#store.current;
    const route = parseRoute(target, (name) => channels.has(name) || this.#handlers.holds(name));
    if (typeof route !== 'string') return route;
    // Before the first snapshot the channels are not known.
    return new WeirError(route === 'unknown_channel' && state === 'pending' ? 'not_ready' : route);
  }

  #answerOptions(exchange: PlayerExchange, response: ServerResponse): void {
    const { cors } = exchange;
    exchange.started(204);
    response.writeHead(204, {
      allow: 'GET, HEAD, OPTIONS',
      ...(cors === undefined ? {} : { ...cors, ...preflightHeaders }),
      'x-request-id': exchange.hop.requestId,
    });
    response.end();
  }

  /** Nothing moved for sendTimeout, or for keepAliveTimeout between two requests. */
  #onTimeout(socket: Socket): void {
    const answering = this.#upgraded.has(socket) || this.#isAnswering(socket);
    // An answer that waits for its origin has deadlines of its own.
    if (!answering || socket.writableLength > 0) socket.destroy();
  }

  #isAnswering(socket: Socket): boolean {
    const answer = this.#answers.get(socket);
    return answer !== undefined && !answer.writableFinished;
  }

  /** A request that Node's parser refuses is answered here, with an error of the table. */
  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    // In the middle of an answer, another one would be taken for a part of it.
    if (this.#isAnswering(socket) || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const code =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'headers_too_large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'request_timeout'
          : 'bad_request';
    socket.end(errorBytes(new WeirError(code)), () => socket.destroy());
    this.#edge.metrics.counts.requests.other['4xx'] += 1;
  }
}
