// Sends a player's WebSocket upgrade to one endpoint, through http-proxy, as one attempt among several.

import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { portOf } from '../net-address.js';
import { allowedLookup } from '../upstream/allowed-lookup.js';
import type { Exchange, UpstreamClient, UpstreamHandler, UpstreamRequest } from '../upstream/client.js';
import { isRefused } from '../upstream/connector.js';
import type { Destinations } from '../upstream/destinations.js';
import { toUpstreamError } from '../upstream/upstream-error.js';
import { type Hop, playerHeaders } from './headers.js';

/** For one connection, to an allowed address only. */
function agentFor(server: ServerOrigin, destinations: Destinations): Agent {
  if (isRefused(server, destinations)) throw new WeirError('address_refused');
  const options = { lookup: allowedLookup(destinations, portOf(server)) };
  return server.startsWith('https:') ? new SecureAgent(options) : new Agent(options);
}

export interface UpgradeSettings {
  /** ms until the endpoint accepted the connection. */
  readonly connectTimeout: number;
  /** ms until the header of its answer. */
  readonly firstByteTimeout: number;
  /** ms of silence in the body of a refusal. */
  readonly idleTimeout: number;
}

/**
 * What the handler gets as data are the bytes for the player's socket, the answer's header among them; what the player
 * sends goes to the endpoint once that has accepted. An exchange must be aborted when the player's socket is closed, also
 * after its end: the endpoint's half of the connection is closed by then, not the player's.
 */
export function createUpgradeClient(
  destinations: Destinations,
  settings: UpgradeSettings,
  player: { readonly socket: Socket; readonly hop: Hop },
): UpstreamClient {
  return {
    send(request, handler) {
      const upgrade = new RunningUpgrade(settings, player, handler);
      upgrade.start(destinations, request);
      return upgrade;
    },
  };
}

class RunningUpgrade implements Exchange {
  readonly #settings: UpgradeSettings;
  readonly #hop: Hop;
  readonly #handler: UpstreamHandler;
  readonly #player: PlayerEnd;
  #request: ClientRequest | undefined;
  #upgraded: Duplex | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #firstByteTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(settings: UpgradeSettings, player: { socket: Socket; hop: Hop }, handler: UpstreamHandler) {
    this.#settings = settings;
    this.#hop = player.hop;
    this.#handler = handler;
    this.#player = new PlayerEnd(
      player.socket,
      (chunk) => handler.onData(chunk),
      () => this.#end(),
    );
  }

  start(destinations: Destinations, { server, path, headers }: UpstreamRequest): void {
    const upgrade = { ...headers, connection: 'Upgrade', upgrade: 'websocket' };
    // All that http-proxy reads of a request: the player's own stays as it is for the next attempt.
    const asked = { method: 'GET', url: path, headers: upgrade as IncomingHttpHeaders } as IncomingMessage;
    const { firstByteTimeout } = this.#settings;
    this.#firstByteTimer = setTimeout(() => this.#fail(new WeirError('upstream_first_byte_timeout')), firstByteTimeout);
    try {
      // One proxy an attempt: its events then belong to this one alone.
      const proxy = httpProxy.createProxyServer({
        target: server,
        agent: agentFor(server, destinations),
        changeOrigin: true,
        prependPath: false,
        toProxy: true,
      });
      proxy.on('proxyReqWs', (request) => this.#watch(request));
      proxy.ws(asked, this.#player, Buffer.alloc(0), {}, (error) => this.#fail(toUpstreamError(error)));
    } catch (error) {
      // The caller gets its Exchange before it hears of any error.
      queueMicrotask(() => this.#fail(toUpstreamError(error)));
    }
  }

  resume(): void {
    this.#player.drained();
  }

  abort(): void {
    this.#ended = true;
    this.#clearTimers();
    // http-proxy may still write to it and end it: a destroyed stream lets nothing through.
    this.#player.destroy();
    this.#request?.destroy();
    this.#upgraded?.destroy();
  }

  /** http-proxy calls it before it adds listeners of its own: what these see, was seen here first. */
  #watch(request: ClientRequest): void {
    this.#request = request;
    request.once('socket', (socket: Socket) => this.#limitConnecting(socket, request.protocol === 'https:'));
    request.once('upgrade', (answer, socket) => {
      this.#upgraded = socket;
      const upgrade = { connection: 'Upgrade', upgrade: answer.headers.upgrade ?? 'websocket' };
      this.#answered(answer, upgrade);
      if (!this.#ended) this.#player.open();
    });
    request.once('response', (answer) => {
      // Passed on by http-proxy without its framing: only the end of the connection ends it.
      this.#answered(answer, { connection: 'close' });
      if (this.#ended) return;
      const { idleTimeout } = this.#settings;
      answer.setTimeout(idleTimeout, () => this.#fail(new WeirError('upstream_idle_timeout')));
      answer.once('error', (error) => this.#fail(toUpstreamError(error)));
    });
  }

  #limitConnecting(socket: Socket, secure: boolean): void {
    if (this.#ended) return;
    const { connectTimeout } = this.#settings;
    this.#connectTimer = setTimeout(() => this.#fail(new WeirError('upstream_connect_timeout')), connectTimeout);
    socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(this.#connectTimer));
  }

  /** http-proxy writes the header fields that it finds in the answer. */
  #answered(answer: IncomingMessage, connection: IncomingHttpHeaders): void {
    if (this.#ended) return;
    this.#clearTimers();
    answer.headers = { ...playerHeaders(answer.headers, this.#hop, undefined), ...connection };
    this.#handler.onResponse(answer.statusCode ?? 502, answer.headers);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handler.onEnd();
  }

  #fail(error: WeirError): void {
    if (this.#ended) return;
    this.abort();
    this.#handler.onError(error);
  }

  #clearTimers(): void {
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#firstByteTimer);
  }
}

/**
 * What http-proxy takes for the player's socket: it ends and pipes into whatever socket it is given, also when the attempt
 * failed, and the player's own is needed for the next one.
 */
class PlayerEnd extends Duplex {
  readonly #socket: Socket;
  readonly #send: (chunk: Buffer) => boolean;
  readonly #end: () => void;
  #blocked: (() => void) | undefined;

  constructor(socket: Socket, send: (chunk: Buffer) => boolean, end: () => void) {
    super();
    this.#socket = socket;
    this.#send = send;
    this.#end = end;
  }

  /** The endpoint accepted: it gets what the player sends from now on, and what it sent already. */
  open(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
  }

  /** The player's socket takes more. */
  drained(): void {
    const go = this.#blocked;
    this.#blocked = undefined;
    go?.();
  }

  override _read(): void {
    this.#socket.resume();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (this.#send(chunk)) callback();
    else this.#blocked = callback;
  }
  override _final(callback: () => void): void {
    this.#end();
    callback();
  }

  // What else http-proxy does to a socket. It takes the timeout away, but who limits the player is the listener.
  setTimeout(): void {}
  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }
  setKeepAlive(on: boolean, delay: number): void {
    this.#socket.setKeepAlive(on, delay);
  }
}
