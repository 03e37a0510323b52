// Sends one request to one endpoint and streams the answer to a handler, without a copy and with backpressure.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import type { CountedPool, Pools } from './pools.js';

/** One request to one endpoint. */
export interface UpstreamRequest {
  readonly server: ServerOrigin;
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Record<string, string | string[]>;
  /** ms, where the setting does not fit: a request that the endpoint may hold. */
  readonly firstByteTimeout?: number;
}

/**
 * Receives one answer: `onResponse` once, `onData` any number of times, then exactly one of `onEnd` and `onError`.
 * `onError` may come first. Nothing comes after `Exchange.abort`.
 */
export interface UpstreamHandler {
  /** The header arrived. It never carries hop-by-hop fields. A redirect is not followed: it is just a status. */
  onResponse(status: number, headers: IncomingHttpHeaders): void;
  /** A chunk; the handler may keep it without a copy. Return false to pause until `Exchange.resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  /** code: upstream_connect, _connect_timeout, _first_byte_timeout, _idle_timeout, _cut, _bad_response, _busy, address_refused. */
  onError(error: WeirError): void;
}

/** The running request. Idempotent, safe to call at any time. */
export interface Exchange {
  resume(): void;
  /** Ends it at once and closes its connection; the handler hears nothing more. */
  abort(): void;
}

/**
 * Deadlines come from the `upstream` settings: a connection within connectTimeout, the first body byte (or the end) within
 * firstByteTimeout of the call, no silence longer than idleTimeout within the body while the handler is not paused.
 */
export interface UpstreamClient {
  send(request: UpstreamRequest, handler: UpstreamHandler): Exchange;
}

interface ClientSettings {
  /** ms */
  readonly firstByteTimeout: number;
  /** ms */
  readonly idleTimeout: number;
  readonly connections: number;
}

/** Sees the header of every answer, whatever it is for. */
export type ResponseObserver = (server: ServerOrigin, headers: IncomingHttpHeaders) => void;

export function createUpstreamClient(
  pools: Pools,
  settings: ClientSettings,
  observe: ResponseObserver = () => undefined,
): UpstreamClient {
  return {
    send(request, handler) {
      const exchange = new RunningExchange(handler, settings, (headers) => observe(request.server, headers));
      exchange.start(pools, request);
      return exchange;
    },
  };
}

/** Between undici's callbacks and ours: adds the first-byte deadline, and makes abort final. */
class RunningExchange implements Exchange, Dispatcher.DispatchHandler {
  readonly #handler: UpstreamHandler;
  readonly #settings: ClientSettings;
  readonly #observe: (headers: IncomingHttpHeaders) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #counted: CountedPool | undefined;
  #firstByteTimer: NodeJS.Timeout | undefined;
  #timedOut = false;
  #ended = false;

  constructor(handler: UpstreamHandler, settings: ClientSettings, observe: (headers: IncomingHttpHeaders) => void) {
    this.#handler = handler;
    this.#settings = settings;
    this.#observe = observe;
  }

  start(pools: Pools, request: UpstreamRequest): void {
    try {
      const counted = pools.of(request.server);
      if (counted.running >= this.#settings.connections) throw new WeirError('upstream_busy');
      this.#counted = counted;
      counted.running += 1;
      const deadline = request.firstByteTimeout ?? this.#settings.firstByteTimeout;
      this.#firstByteTimer = setTimeout(() => this.#firstByteTimeout(), deadline);
      const { path, method, headers } = request;
      const bodyTimeout = this.#settings.idleTimeout;
      counted.pool.dispatch({ origin: request.server, path, method, headers, bodyTimeout }, this);
    } catch (error) {
      // The caller gets its Exchange before it hears of any error.
      queueMicrotask(() => this.#fail(error instanceof WeirError ? error : toUpstreamError(error)));
    }
  }

  resume(): void {
    if (!this.#ended) this.#controller?.resume();
  }

  abort(): void {
    if (this.#finish()) this.#controller?.abort(new WeirError('client_gone'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it waited for a connection.
    if (this.#ended) controller.abort(new WeirError('client_gone'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#ended || status < 200) return;
    this.#observe(headers);
    // RFC 9110, section 8.6: a 204 states no length.
    if (status === 204) delete headers['content-length'];
    this.#handler.onResponse(status, headers);
    // Neither has a body, whatever length the header states; undici would miss it and call the answer cut.
    if (status === 204 || status === 304) this.onResponseEnd();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#firstByteTimer !== undefined) this.#clearTimer();
    if (!this.#handler.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#finish()) this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(this.#timedOut ? new WeirError('upstream_first_byte_timeout') : toUpstreamError(error));
  }

  #firstByteTimeout(): void {
    this.#timedOut = true;
    const error = new WeirError('upstream_first_byte_timeout');
    if (this.#finish()) {
      this.#handler.onError(error);
      this.#controller?.abort(error);
    }
  }

  #fail(error: WeirError): void {
    if (this.#finish()) this.#handler.onError(error);
  }

  /** True the first time: whoever ends it, tells it. */
  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#clearTimer();
    if (this.#counted !== undefined) this.#counted.running -= 1;
    return true;
  }

  #clearTimer(): void {
    clearTimeout(this.#firstByteTimer);
    this.#firstByteTimer = undefined;
  }
}

const connectErrors = new Set([
  'ECONNREFUSED',
  // A Unix socket whose process is gone.
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);

/** What Node and undici throw at a connection or a request, as an error of the table. */
export function toUpstreamError(error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  const { code, name, cause, errors } = error as NodeJS.ErrnoException & { cause?: unknown; errors?: unknown[] };
  // Several addresses of one name were tried: the first error is as good as any.
  if (name === 'AggregateError' && errors !== undefined && errors.length > 0) return toUpstreamError(errors[0]);
  if (cause instanceof WeirError) return cause;
  if (code !== undefined && connectErrors.has(code)) return new WeirError('upstream_connect', { cause: error });
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new WeirError('upstream_connect_timeout', { cause: error });
  }
  if (code === 'UND_ERR_BODY_TIMEOUT') return new WeirError('upstream_idle_timeout', { cause: error });
  if (code?.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || name === 'HTTPParserError') {
    return new WeirError('upstream_bad_response', { cause: error });
  }
  if (code === 'UND_ERR_INVALID_ARG') return new WeirError('bad_request', { cause: error });
  return new WeirError('upstream_cut', { cause: error });
}
