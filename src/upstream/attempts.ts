// The one retry loop: asks a place, judges its answer, and asks the next place as long as nothing was handed on. The header
// is held back until the first byte of the body is there.

import type { IncomingHttpHeaders } from 'node:http';
import { type Outcome, toWeirError, WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import type { Exchange, UpstreamHandler } from './client.js';
import { Continuation } from './continuation.js';
import { errorOfStatus, type Judgement, judgeError, judgeStatus, outcomeOf, type Purpose } from './judge.js';
import { type OnRetry, Trail } from './trail.js';

/** Where a request may be answered. */
export interface AttemptPlace {
  readonly server: ServerOrigin;
  /** The pick that hears how it went; undefined: it is not this request's own. */
  readonly pick: { firstByte(): void; done(outcome: Outcome): void } | undefined;
  /** Starts the request; the handler hears of nothing before this returns. */
  send(handler: UpstreamHandler): Exchange;
}

export interface AttemptOptions {
  /** Gives another place than those that failed; throws a WeirError when there is none. */
  readonly next: (failed: readonly ServerOrigin[]) => AttemptPlace;
  readonly purpose: Purpose;
  /** Further places asked at most, or for how long. */
  readonly retries: number | Patience;
  readonly onRetry: OnRetry;
}

/**
 * For places that all have the same bytes, where the next place is known only after a while. An answer that was cut continues
 * there.
 */
export interface Patience {
  /** Between two questions for the next place. */
  readonly intervalMs: number;
  /** After the start; then no other place is looked for. */
  readonly limitMs: number;
}

/** Starts at once. The handler hears of one answer or one error, as from one request. */
export function attempt(options: AttemptOptions, handler: UpstreamHandler): Exchange {
  const attempts = new Attempts(options, handler);
  attempts.start();
  return attempts;
}

class Attempts implements Exchange {
  readonly #options: AttemptOptions;
  readonly #handler: UpstreamHandler;
  readonly #trail: Trail<AttemptPlace>;
  readonly #continuation: Continuation | undefined;
  readonly #patience: (Patience & { readonly until: number }) | undefined;
  #place: AttemptPlace | undefined;
  #exchange: Exchange | undefined;
  #head: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
  /** The header was handed on. */
  #started = false;
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(options: AttemptOptions, handler: UpstreamHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#trail = new Trail(options.next, options.onRetry);
    const { retries } = options;
    if (typeof retries === 'number') return;
    this.#patience = { ...retries, until: performance.now() + retries.limitMs };
    this.#continuation = new Continuation();
  }

  /** A failure at once is reported a moment later: the caller gets its exchange before it hears of anything. */
  start(): void {
    try {
      this.#place = this.#trail.next();
    } catch (error) {
      queueMicrotask(() => this.#fail(toWeirError(error)));
      return;
    }
    this.#ask(this.#place);
  }

  resume(): void {
    this.#exchange?.resume();
  }

  /** The player does not want it any more: that is no failure. */
  abort(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
    this.#place?.pick?.done('abandoned');
  }

  #ask(place: AttemptPlace): void {
    this.#head = undefined;
    this.#continuation?.restart();
    try {
      this.#exchange = place.send({
        onResponse: (status, headers) => this.#onResponse(status, headers),
        onData: (chunk) => this.#onData(chunk),
        onEnd: () => this.#onEnd(),
        onError: (error) => this.#fail(error),
      });
    } catch (error) {
      queueMicrotask(() => this.#fail(toWeirError(error)));
    }
  }

  #onResponse(status: number, headers: IncomingHttpHeaders): void {
    const { purpose } = this.#options;
    const verdict = judgeStatus(status, purpose);
    if (verdict.elsewhere) {
      this.#exchange?.abort();
      this.#fail(errorOfStatus(status, purpose), verdict);
    } else if (this.#continuation?.fits(status, headers) === false) {
      this.#exchange?.abort();
      this.#place?.pick?.done('interrupted');
      this.#end(new WeirError('upstream_cut'));
    } else {
      this.#head = { status, headers };
      // Both sides speak from here on: there is no body to wait for.
      if (status === 101) this.#handOn(this.#head);
    }
  }

  #onData(chunk: Buffer): boolean {
    if (this.#head !== undefined) this.#handOn(this.#head);
    if (this.#over) return true;
    const fresh = this.#continuation === undefined ? chunk : this.#continuation.take(chunk);
    return fresh === undefined || this.#handler.onData(fresh);
  }

  #onEnd(): void {
    if (this.#head !== undefined) this.#handOn(this.#head);
    if (this.#over) return;
    this.#over = true;
    this.#place?.pick?.done('success');
    this.#handler.onEnd();
  }

  #handOn({ status, headers }: { readonly status: number; readonly headers: IncomingHttpHeaders }): void {
    this.#head = undefined;
    if (this.#started) return;
    this.#started = true;
    this.#place?.pick?.firstByte();
    this.#handler.onResponse(status, headers);
  }

  #fail(error: WeirError, verdict: Judgement = judgeError(error, this.#options.purpose)): void {
    if (this.#over) return;
    const place = this.#place;
    place?.pick?.done(this.#started ? 'interrupted' : outcomeOf(verdict));
    if (!verdict.elsewhere || !this.#mayGoOn) {
      this.#end(error);
      return;
    }
    if (place !== undefined) this.#trail.leave(place.server, error);
    if (this.#patience === undefined) this.#again(error);
    else this.#timer = setTimeout(() => this.#again(error), this.#patience.intervalMs);
  }

  get #mayGoOn(): boolean {
    if (this.#patience !== undefined) return performance.now() < this.#patience.until;
    return !this.#started && this.#place !== undefined && this.#retries < Number(this.#options.retries);
  }

  #again(failure: WeirError): void {
    this.#retries += 1;
    this.#place = undefined;
    try {
      this.#place = this.#trail.next();
    } catch (thrown) {
      const error = toWeirError(thrown);
      if (this.#patience !== undefined) this.#fail(error);
      // The last failure says more than that no place is left; an error of ours says more than both.
      else this.#end(error.code === 'internal' ? error : failure);
      return;
    }
    this.#ask(this.#place);
  }

  #end(error: WeirError): void {
    this.#over = true;
    this.#handler.onError(error);
  }
}
