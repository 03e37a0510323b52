// Asks one endpoint to speak WebSocket with a player (RFC 9110, section 7.8), as one request like any other: from the 101 on,
// what the endpoint sends is the body, and what the player sends goes to the endpoint.

import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { hostOf, portOf } from '../net-address.js';
import { allowedLookup } from './allowed-lookup.js';
import type { ClientObserver, Exchange, UpstreamClient, UpstreamHandler, UpstreamRequest } from './client.js';
import { isRefused } from './connector.js';
import type { Destinations } from './destinations.js';
import { toUpstreamError } from './upstream-error.js';

/** ms of silence after which the kernel asks whether the endpoint's host is still there: a WebSocket may be silent for hours. */
const keepAliveDelayMs = 60_000;

export interface UpgradeSettings {
  /** ms until the endpoint accepted the connection. */
  readonly connectTimeout: number;
  /** ms until the endpoint accepted the upgrade, or to the first byte of its refusal. */
  readonly firstByteTimeout: number;
  /** ms of silence in the body of a refusal. */
  readonly idleTimeout: number;
}

export interface UpgradeTools {
  readonly destinations: Destinations;
  readonly settings: UpgradeSettings;
  readonly observer: ClientObserver;
}

/**
 * Nothing is read of the player before an endpoint accepted: it is there for the next attempt. An exchange must be aborted when
 * the player's connection is closed, also after its end: only the endpoint's half of the connection is closed by then.
 */
export function createUpgradeClient(tools: UpgradeTools, player: Duplex): UpstreamClient {
  return {
    send(request, handler) {
      const upgrade = new RunningUpgrade(tools, player, request.server, handler);
      upgrade.start(request);
      return upgrade;
    },
  };
}

class RunningUpgrade implements Exchange {
  readonly #tools: UpgradeTools;
  readonly #player: Duplex;
  readonly #server: ServerOrigin;
  readonly #handler: UpstreamHandler;
  #request: ClientRequest | undefined;
  /** What the endpoint sends: its half of the connection, or the body of its refusal. */
  #body: Readable | undefined;
  #isRefused = false;
  #connectTimer: NodeJS.Timeout | undefined;
  #firstByteTimer: NodeJS.Timeout | undefined;
  /** Runs while more of a refusal is awaited, and not while the player takes its time. */
  #idleTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(tools: UpgradeTools, player: Duplex, server: ServerOrigin, handler: UpstreamHandler) {
    this.#tools = tools;
    this.#player = player;
    this.#server = server;
    this.#handler = handler;
  }

  start({ path, headers }: UpstreamRequest): void {
    const { destinations, settings } = this.#tools;
    const server = this.#server;
    const late = () => this.#fail(new WeirError('upstream_first_byte_timeout'));
    this.#firstByteTimer = setTimeout(late, settings.firstByteTimeout);
    try {
      if (isRefused(server, destinations)) throw new WeirError('address_refused');
      const isSecure = server.startsWith('https:');
      this.#request = (isSecure ? requestHttps : requestHttp)({
        host: hostOf(server),
        port: portOf(server),
        path,
        headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket' },
        lookup: allowedLookup(destinations, portOf(server)),
        // A connection of its own.
        agent: false,
      });
      this.#request.once('socket', (socket) => this.#limitConnecting(socket, isSecure ? 'secureConnect' : 'connect'));
      this.#request.once('upgrade', (answer, socket, head) => this.#onUpgrade(answer, socket, head));
      this.#request.once('response', (answer) => this.#onRefusal(answer));
      this.#request.on('error', (error) => this.#fail(toUpstreamError(error)));
      this.#request.end();
    } catch (error) {
      // The caller gets its Exchange before it hears of any error.
      queueMicrotask(() => this.#fail(toUpstreamError(error)));
    }
  }

  resume(): void {
    if (this.#isRefused && this.#body?.isPaused() === true) this.#limitSilence();
    this.#body?.resume();
  }

  abort(): void {
    this.#ended = true;
    this.#clearTimers();
    this.#request?.destroy();
    this.#body?.destroy();
  }

  #limitConnecting(socket: Socket, connected: 'connect' | 'secureConnect'): void {
    if (this.#ended) return;
    socket.setKeepAlive(true, keepAliveDelayMs);
    const late = () => this.#fail(new WeirError('upstream_connect_timeout'));
    this.#connectTimer = setTimeout(late, this.#tools.settings.connectTimeout);
    socket.once(connected, () => clearTimeout(this.#connectTimer));
  }

  #onUpgrade(answer: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#ended) {
      socket.destroy();
      return;
    }
    if (head.length > 0) socket.unshift(head);
    this.#clearTimers();
    this.#onAnswer(101, answer.headers, socket);
    if (!this.#ended) this.#player.pipe(socket);
  }

  #onRefusal(answer: IncomingMessage): void {
    if (this.#ended) return;
    this.#isRefused = true;
    this.#limitSilence();
    this.#onAnswer(answer.statusCode ?? 502, answer.headers, answer);
  }

  #limitSilence(): void {
    if (this.#ended) return;
    clearTimeout(this.#idleTimer);
    const late = () => this.#fail(new WeirError('upstream_idle_timeout'));
    this.#idleTimer = setTimeout(late, this.#tools.settings.idleTimeout);
  }

  #onAnswer(status: number, headers: IncomingHttpHeaders, body: Readable): void {
    this.#body = body;
    body.on('error', (error) => this.#fail(toUpstreamError(error)));
    this.#tools.observer.onHeaders?.(this.#server, headers);
    this.#handler.onResponse(status, headers);
    if (this.#ended) return;
    body.on('data', (chunk: Buffer) => {
      this.#clearTimers();
      if (this.#ended) return;
      if (!this.#handler.onData(chunk)) body.pause();
      else if (this.#isRefused) this.#limitSilence();
    });
    body.once('end', () => this.#end());
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    this.#handler.onEnd();
  }

  #fail(error: WeirError): void {
    if (this.#ended) return;
    this.abort();
    if (error.code === 'exhausted') this.#tools.observer.onExhausted?.(error);
    this.#handler.onError(error);
  }

  #clearTimers(): void {
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#firstByteTimer);
    clearTimeout(this.#idleTimer);
  }
}
