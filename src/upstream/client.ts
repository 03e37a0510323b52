// Sends one request to one endpoint and streams the answer to a handler, without a copy and with backpressure. Redirects are
// followed where the request says so. When a kept connection turns out to be dead, the request is sent again on a new one.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { Dispatch, type DispatchListener } from './dispatch.js';
import { judgeError } from './judge.js';
import type { Pools } from './pools.js';
import { isRedirect, maxRedirects, type Redirect, redirectTarget } from './redirect.js';
import type { UpstreamTarget } from './target.js';

type Headers = Record<string, string | string[]>;

/** One request to one endpoint. */
export interface UpstreamRequest {
  readonly server: ServerOrigin;
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Headers;
  /** Instead of the setting, for a request that the endpoint may hold. */
  readonly firstByteTimeoutMs?: number;
  /**
   * Follows redirects, `maxRedirects` in a row at most, to allowed addresses; called at each one, it returns the header
   * fields of the next request, which must not take credentials to another server. Without it a redirect is an answer like
   * any other.
   */
  readonly follow?: (redirect: Redirect) => Headers;
}

/**
 * Receives one answer: `onResponse` once, `onData` any number of times, then exactly one of `onEnd` and `onError`.
 * `onError` may come first. Nothing comes after `Exchange.abort`.
 */
export interface UpstreamHandler {
  /** The header arrived. It never carries hop-by-hop fields. */
  onResponse(status: number, headers: IncomingHttpHeaders): void;
  /** A chunk; the handler may keep it without a copy. Return false to pause until `Exchange.resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  /**
   * code: upstream_connect, _unresolved, _connect_timeout, _first_byte_timeout, _idle_timeout, _cut, _bad_response, _redirect,
   * _busy, address_refused, exhausted.
   */
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
 * firstByteTimeout of the call, redirects included, no silence longer than idleTimeout within the body while the handler is
 * not paused.
 */
export interface UpstreamClient {
  send(request: UpstreamRequest, handler: UpstreamHandler): Exchange;
}

interface ClientSettings {
  /** ms */
  readonly firstByteTimeout: number;
  /** ms */
  readonly idleTimeout: number;
}

export interface ClientObserver {
  /** The header of every answer, whatever it is for. */
  onHeaders?(server: ServerOrigin, headers: IncomingHttpHeaders): void;
  /** A request came to nothing, or its answer to no end. @param server that was asked last */
  onFailed?(server: ServerOrigin, error: WeirError): void;
  /** This machine ran out of something; called for every request that fails for that reason. */
  onExhausted?(error: WeirError): void;
}

/** Bytes of a redirect's body that are read to keep its connection. */
const maxRedirectBodyBytes = 16 * 1024;

/** A client of endpoints. Requests begin at once; none is queued: a full pool refuses it. */
export function createUpstreamClient(
  pools: Pools,
  settings: ClientSettings,
  observer: ClientObserver = {},
): UpstreamClient {
  return {
    send(request, handler) {
      const exchange = new RunningExchange({ pools, settings, observer }, request, handler);
      exchange.start();
      return exchange;
    },
  };
}

interface ClientTools {
  readonly pools: Pools;
  readonly settings: ClientSettings;
  readonly observer: ClientObserver;
}

class RunningExchange implements Exchange, DispatchListener {
  readonly #tools: ClientTools;
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  #target: UpstreamTarget;
  #headers: Headers;
  #dispatch: Dispatch | undefined;
  /** On a fresh connection, since a kept one was dead. */
  #fresh = false;
  #redirects = 0;
  /** Followed when the answer that redirects is over. */
  #next: Redirect | undefined;
  #discarded = 0;
  /** The header of the answer that is wanted was there. */
  #answered = false;
  #firstByteTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(tools: ClientTools, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#tools = tools;
    this.#request = request;
    this.#handler = handler;
    this.#target = request;
    this.#headers = request.headers;
  }

  start(): void {
    const deadline = this.#request.firstByteTimeoutMs ?? this.#tools.settings.firstByteTimeout;
    this.#firstByteTimer = setTimeout(() => this.#fail(new WeirError('upstream_first_byte_timeout')), deadline);
    this.#send();
  }

  resume(): void {
    this.#dispatch?.resume();
  }

  abort(): void {
    if (this.#finish()) this.#dispatch?.abort();
  }

  #send(): void {
    const { pools, settings } = this.#tools;
    const { server, path } = this.#target;
    const { method } = this.#request;
    const options = { path, method, headers: this.#headers, bodyTimeoutMs: settings.idleTimeout, fresh: this.#fresh };
    try {
      this.#dispatch = new Dispatch(pools.of(server), options, this);
    } catch (error) {
      // The caller gets its Exchange before it hears of any error.
      queueMicrotask(() => this.onError(error as WeirError, false));
    }
  }

  onResponse(status: number, headers: IncomingHttpHeaders): void {
    this.#tools.observer.onHeaders?.(this.#target.server, headers);
    if (this.#request.follow === undefined || !isRedirect(status)) {
      this.#answered = true;
      this.#handler.onResponse(status, headers);
      return;
    }
    try {
      if (this.#redirects >= maxRedirects) {
        throw new WeirError('upstream_redirect', { detail: 'The endpoint redirects again and again.' });
      }
      this.#next = { from: this.#target.server, headers, to: redirectTarget(headers.location, this.#target) };
      this.#discarded = 0;
    } catch (error) {
      this.#fail(error as WeirError);
    }
  }

  onData(chunk: Buffer): boolean {
    if (this.#next !== undefined) {
      this.#discarded += chunk.length;
      if (this.#discarded > maxRedirectBodyBytes) {
        this.#dispatch?.abort();
        this.#follow(this.#next);
      }
      return true;
    }
    if (this.#firstByteTimer !== undefined) this.#clearTimer();
    return this.#handler.onData(chunk);
  }

  onEnd(): void {
    if (this.#next !== undefined) this.#follow(this.#next);
    else if (this.#finish()) this.#handler.onEnd();
  }

  onError(error: WeirError, stale: boolean): void {
    if (this.#ended) return;
    // Where to is known all the same.
    if (this.#next !== undefined) return this.#follow(this.#next);
    if (stale && !this.#fresh) {
      this.#fresh = true;
      this.#send();
      return;
    }
    this.#fail(this.#redirects > 0 && !this.#answered ? ofRedirect(error) : error);
  }

  #follow(redirect: Redirect): void {
    this.#next = undefined;
    this.#redirects += 1;
    this.#fresh = false;
    this.#target = redirect.to;
    this.#headers = this.#request.follow?.(redirect) ?? {};
    this.#send();
  }

  #fail(error: WeirError): void {
    if (!this.#finish()) return;
    this.#dispatch?.abort();
    this.#tools.observer.onFailed?.(this.#target.server, error);
    if (error.code === 'exhausted') this.#tools.observer.onExhausted?.(error);
    this.#handler.onError(error);
  }

  /** True the first time: whoever ends it, tells it. */
  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#clearTimer();
    return true;
  }

  #clearTimer(): void {
    clearTimeout(this.#firstByteTimer);
    this.#firstByteTimer = undefined;
  }
}

/** A target that does not answer is the redirect's fault: the endpoint itself is well, and a player may have chosen the path. */
function ofRedirect(error: WeirError): WeirError {
  // What is our own shortage stays that.
  if (judgeError(error, 'listed').fault === 'ours') return error;
  const refused = error.code === 'address_refused';
  const detail = refused
    ? 'The endpoint redirects to an address outside upstream.allow.'
    : `The endpoint redirects to a server that fails: ${error.message}`;
  return new WeirError('upstream_redirect', { detail, cause: error });
}
