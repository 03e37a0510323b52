// Requests an object: from the endpoint its pin names, or, without one, from whichever endpoint has it.

import type { Pick } from '../balancer/balancer.js';
import { toWeirError, WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import type { Exchange, UpstreamHandler } from '../upstream/client.js';
import { judgeError, judgeStatus, outcomeOf, type Verdict } from '../upstream/judge.js';
import type { Load } from './cached-object.js';
import type { Origin } from './origin.js';

/** Where an object may be; the pick is there when it is this request's own. */
export interface Place {
  readonly origin: Origin;
  readonly pick: Pick | undefined;
}

export interface ObjectRequest {
  readonly url: (origin: Origin) => URL;
  readonly range: string | undefined;
  /** ms */
  readonly firstByteTimeout: number;
  /** Further places tried before the first byte. */
  readonly retries: number;
}

/** @param next gives another place than those that failed, or throws a WeirError when there is none */
export function createLoad(next: (failed: readonly ServerOrigin[]) => Place, request: ObjectRequest): Load {
  return (conditions, handler) => {
    const load = new RunningLoad(next, request, conditions, handler);
    load.start();
    return load;
  };
}

class RunningLoad implements Exchange {
  readonly #next: (failed: readonly ServerOrigin[]) => Place;
  readonly #request: ObjectRequest;
  readonly #headers: Record<string, string>;
  readonly #handler: UpstreamHandler;
  readonly #failed: ServerOrigin[] = [];
  #place: Place | undefined;
  #exchange: Exchange | undefined;

  constructor(
    next: (failed: readonly ServerOrigin[]) => Place,
    request: ObjectRequest,
    conditions: Record<string, string>,
    handler: UpstreamHandler,
  ) {
    this.#next = next;
    this.#request = request;
    this.#headers = request.range === undefined ? conditions : { ...conditions, range: request.range };
    this.#handler = handler;
  }

  start(): void {
    try {
      const place = this.#next(this.#failed);
      this.#place = place;
      this.#exchange = this.#send(place);
    } catch (error) {
      // Whoever loads hears of nothing before it has the exchange.
      queueMicrotask(() => this.#handler.onError(toWeirError(error)));
    }
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    this.#exchange?.abort();
    this.#place?.pick?.done('abandoned');
  }

  #send({ origin, pick }: Place): Exchange {
    const handler = this.#handler;
    let started = false;
    const exchange = origin.send(
      this.#request.url(origin),
      this.#headers,
      {
        onResponse: (status, headers) => {
          const verdict = judgeStatus(status, 'asked');
          if (verdict.elsewhere) {
            exchange.abort();
            const detail = `The endpoint answered ${status}.`;
            return this.#fail(new WeirError('upstream_status', { detail }), verdict);
          }
          started = true;
          pick?.firstByte();
          handler.onResponse(status, headers);
        },
        onData: (chunk) => handler.onData(chunk),
        onEnd: () => {
          pick?.done('success');
          handler.onEnd();
        },
        onError: (error) => {
          if (!started) return this.#fail(error, judgeError(error, 'asked'));
          pick?.done('interrupted');
          handler.onError(error);
        },
      },
      { firstByteTimeout: this.#request.firstByteTimeout },
    );
    return exchange;
  }

  #fail(error: WeirError, verdict: Verdict): void {
    const pick = this.#place?.pick;
    pick?.done(outcomeOf(verdict));
    if (pick === undefined || !verdict.elsewhere || this.#failed.length >= this.#request.retries) {
      this.#handler.onError(error);
      return;
    }
    this.#failed.push(pick.server);
    try {
      this.#place = this.#next(this.#failed);
    } catch {
      // Nothing else to try: what went wrong says more than that nothing is left.
      this.#handler.onError(error);
      return;
    }
    this.#exchange = this.#send(this.#place);
  }
}
