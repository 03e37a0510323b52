// One request to one server and its answer, between undici's callbacks and ours. An abort is final here, and a failure that may
// be the connection's, not the server's, is marked.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { WeirError } from '../errors.js';
import { wasUsed } from './connector.js';
import type { ServerPool } from './server-pool.js';
import { toUpstreamError } from './upstream-error.js';

export interface DispatchRequest {
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Record<string, string | string[]>;
  /** ms of silence in the body. */
  readonly bodyTimeoutMs: number;
  /** On a connection of its own. */
  readonly fresh: boolean;
}

/** `onResponse` once, `onData` any number of times, then exactly one of `onEnd` and `onError`, which may come first. */
export interface DispatchListener {
  onResponse(status: number, headers: IncomingHttpHeaders): void;
  /** Return false to pause. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  /** @param stale the connection was a kept one, and failed before the answer began: the server may never have seen the request */
  onError(error: WeirError, stale: boolean): void;
}

/** One request under way in undici. */
export class Dispatch implements Dispatcher.DispatchHandler {
  readonly #pool: ServerPool;
  readonly #listener: DispatchListener;
  #controller: Dispatcher.DispatchController | undefined;
  #begun = false;
  #answered = false;
  #ended = false;

  /** @throws WeirError upstream_busy. Later failures go to the listener, never before this returns. */
  constructor(pool: ServerPool, request: DispatchRequest, listener: DispatchListener) {
    this.#pool = pool;
    this.#listener = listener;
    pool.enter();
    const { fresh, ...options } = request;
    try {
      pool.dispatch(options, this, fresh);
    } catch (error) {
      this.#failLater(error);
    }
    this.#begun = true;
  }

  resume(): void {
    if (!this.#ended) this.#controller?.resume();
  }

  /** Ends it and closes its connection; the listener hears nothing more. Idempotent. */
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
    this.#answered = true;
    // RFC 9110, section 8.6: a 204 states no length.
    if (status === 204) delete headers['content-length'];
    this.#listener.onResponse(status, headers);
    // Neither has a body, whatever length the header states; undici would miss it and call the answer cut.
    if (status === 204 || status === 304) this.onResponseEnd();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#ended && !this.#listener.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#finish()) this.#listener.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#begun) this.#fail(toUpstreamError(error), !this.#answered && wasUsed(error));
    // A request that undici does not even take.
    else this.#failLater(error);
  }

  #failLater(error: unknown): void {
    queueMicrotask(() => this.#fail(toUpstreamError(error), false));
  }

  #fail(error: WeirError, stale: boolean): void {
    if (this.#finish()) this.#listener.onError(error, stale);
  }

  /** True the first time: whoever ends it, tells it. */
  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#pool.leave();
    return true;
  }
}
