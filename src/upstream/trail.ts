// The places that one request has tried: which failed, which is next, and what counts as a retry. Every request that may go
// to more than one place has such a trail.

import type { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { ServerOrigin } from '../model.js';

/** Hears of every retry: which error made a request go to another place. */
export type OnRetry = (error: WeirError) => void;

/** Counts retries into `weir_retries_total`, labelled with the error's code. */
export function countRetries({ retries }: Pick<Metrics, 'retries'>): OnRetry {
  return ({ code }) => retries.inc({ cause: code });
}

/** The places that one request has tried. Each further place counts as a retry. */
export class Trail<P extends { readonly server: ServerOrigin }> {
  readonly #failed: ServerOrigin[] = [];
  readonly #choose: (failed: readonly ServerOrigin[]) => P;
  readonly #onRetry: OnRetry;
  /** What made the last place fail; undefined once another one was found. */
  #why: { readonly server: ServerOrigin; readonly error: WeirError } | undefined;

  /** @param choose another place than those that failed; throws a WeirError when there is none */
  constructor(choose: (failed: readonly ServerOrigin[]) => P, onRetry: OnRetry) {
    this.#choose = choose;
    this.#onRetry = onRetry;
  }

  /** Servers that are not asked again. */
  get failed(): readonly ServerOrigin[] {
    return this.#failed;
  }

  /**
   * The place to ask now.
   *
   * @throws WeirError of `choose`: nobody is left
   */
  next(): P {
    const place = this.#choose(this.#failed);
    const why = this.#why;
    this.#why = undefined;
    if (why !== undefined && why.server !== place.server) this.#onRetry(why.error);
    return place;
  }

  /** This server is not asked again. @param error what went wrong; undefined: it answered, though another one may do better */
  leave(server: ServerOrigin, error: WeirError | undefined): void {
    if (!this.#failed.includes(server)) this.#failed.push(server);
    if (error !== undefined) this.#why = { server, error };
  }
}
