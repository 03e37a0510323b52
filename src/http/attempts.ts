// Sends a player's request to an endpoint, and to another one when that fails before the first body byte.

import type { IncomingHttpHeaders } from 'node:http';
import type { Balancer, Pick } from '../balancer/balancer.js';
import type { Outcome } from '../balancer/policy.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { ServerOrigin } from '../model.js';
import type { Exchange, UpstreamClient } from '../upstream/client.js';
import { judgeError, judgeStatus, outcomeOf, type Purpose } from '../upstream/judge.js';
import { upstreamTarget } from '../upstream/target.js';
import type { Route } from './route.js';

export interface AttemptRequest {
  readonly route: Route;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Record<string, string | string[]>;
  /** Keep to the channel's endpoint (HLS). */
  readonly sticky: boolean;
  /** Further endpoints tried at most. */
  readonly retries: number;
}

/** Hears of the one attempt that worked, or of the error that is left when none did. */
export interface AttemptHandler {
  /** An endpoint was chosen; called again for every retry. */
  onPick(pick: Pick): void;
  /** The header, held back until the first body byte is there or the body is over. */
  onResponse(status: number, headers: IncomingHttpHeaders): void;
  /** Return false to pause. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  /** Before onResponse: no endpoint answered. After it: the body was cut. */
  onError(error: WeirError): void;
}

export interface AttemptTools {
  readonly balancer: Balancer;
  readonly client: UpstreamClient;
  readonly metrics: Metrics;
}

export class Attempts implements Exchange {
  readonly #tools: AttemptTools;
  readonly #request: AttemptRequest;
  readonly #handler: AttemptHandler;
  readonly #purpose: Purpose;
  readonly #failedServers: ServerOrigin[] = [];
  #pick: Pick | undefined;
  #exchange: Exchange | undefined;
  #head: { status: number; headers: IncomingHttpHeaders } | undefined;
  #firstByteSeen = false;

  constructor(tools: AttemptTools, request: AttemptRequest, handler: AttemptHandler) {
    this.#tools = tools;
    this.#request = request;
    this.#handler = handler;
    // Blocking playlist reloads: what a player waits for there is its own choice (RFC 8216bis, section 6.2.5.2).
    this.#purpose = request.route.query.includes('_HLS_msn=') ? 'held' : 'asked';
  }

  /** Throws what `Balancer.pick` throws; every later error goes to the handler. */
  start(): void {
    const { balancer, client } = this.#tools;
    const { route, method, headers, sticky } = this.#request;
    const pick = balancer.pick(route.channel, { sticky, exclude: this.#failedServers });
    this.#pick = pick;
    this.#head = undefined;
    this.#handler.onPick(pick);
    const target = upstreamTarget(pick.endpoint.address, route);
    this.#exchange = client.send(
      { server: target.server, path: target.path, method, headers },
      {
        onResponse: (status, responseHeaders) => this.#onResponse(status, responseHeaders),
        onData: (chunk) => this.#onData(chunk),
        onEnd: () => this.#onEnd(),
        onError: (error) => this.#onError(error),
      },
    );
  }

  resume(): void {
    this.#exchange?.resume();
  }

  /** The player left: at once, and nobody's failure. */
  abort(): void {
    this.#exchange?.abort();
    this.#pick?.done('abandoned');
  }

  #onResponse(status: number, headers: IncomingHttpHeaders): void {
    if (judgeStatus(status, this.#purpose).elsewhere) {
      this.#exchange?.abort();
      this.#onError(new WeirError('upstream_status', { detail: `The endpoint answered ${status}.` }));
      return;
    }
    this.#head = { status, headers };
  }

  #onData(chunk: Buffer): boolean {
    this.#releaseHead();
    return this.#handler.onData(chunk);
  }

  #onEnd(): void {
    this.#releaseHead();
    this.#pick?.done('success');
    this.#handler.onEnd();
  }

  #releaseHead(): void {
    if (this.#firstByteSeen || this.#head === undefined) return;
    this.#firstByteSeen = true;
    this.#pick?.firstByte();
    this.#handler.onResponse(this.#head.status, this.#head.headers);
  }

  #onError(error: WeirError): void {
    const pick = this.#pick;
    if (pick === undefined) return;
    pick.done(this.#outcome(error));
    const left = this.#request.retries - this.#failedServers.length;
    if (this.#firstByteSeen || !judgeError(error, this.#purpose).elsewhere || left <= 0)
      return this.#handler.onError(error);
    this.#failedServers.push(pick.server);
    this.#tools.metrics.retries.inc({ cause: error.code });
    try {
      this.start();
    } catch (thrown) {
      const next = toWeirError(thrown);
      // Nothing else to try: what went wrong says more than that nothing is left.
      this.#handler.onError(next.code === 'no_endpoint' ? error : next);
    }
  }

  #outcome(error: WeirError): Outcome {
    if (this.#firstByteSeen) return 'interrupted';
    return outcomeOf(judgeError(error, this.#purpose));
  }
}
