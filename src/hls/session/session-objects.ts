// The objects of a session (segments, initialisation sections, keys): under which key and on which terms they are cached,
// and which endpoint is asked for them.

import { WeirError } from '../../errors.js';
import type { Endpoint, ServerOrigin } from '../../model.js';
import { objectTerms } from '../cache/freshness.js';
import type { Load } from '../cache/load.js';
import type { OpenOptions } from '../cache/object-cache.js';
import type { Entry } from '../presentation/live-window.js';
import { objectKey, placeOf } from '../url/cache-key.js';
import type { Pin } from '../url/pin.js';
import { readPin } from '../url/pin.js';
import { parseQuery } from '../url/player-query.js';
import type { EndpointChoice } from './endpoint-choice.js';
import { createLentLoad } from './lent-load.js';
import type { ListedObjects } from './listed-objects.js';
import { createLoad, type ObjectSource } from './object-loader.js';
import type { OriginClient } from './origin-client.js';
import { createOrigin, type OriginLink } from './origin-link.js';
import type { PlayerTokens } from './player-tokens.js';
import type { SessionContext } from './session-context.js';
import type { SessionName } from './session-name.js';

/** ms for which an object may have been here before the playlist that lists it. */
export const fetchedAheadMs = 10_000;
/** A part may be held by its origin for as many first-byte timeouts. */
export const heldFactor = 3;

/** How an object is opened in the cache. */
export interface Opening {
  readonly key: string;
  readonly options: OpenOptions;
}

export interface SessionObjectsOptions {
  readonly name: SessionName;
  readonly context: SessionContext;
  readonly tokens: PlayerTokens;
  readonly choice: EndpointChoice;
  readonly listed: ListedObjects;
}

/** The objects of one session. It keeps none: the cache does. */
export class SessionObjects {
  readonly #name: SessionName;
  readonly #context: SessionContext;
  readonly #tokens: PlayerTokens;
  readonly #choice: EndpointChoice;
  readonly #listed: ListedObjects;

  constructor({ name, context, tokens, choice, listed }: SessionObjectsOptions) {
    this.#name = name;
    this.#context = context;
    this.#tokens = tokens;
    this.#choice = choice;
    this.#listed = listed;
  }

  /** The key of an object. @param place `placeOf` it */
  keyOf(place: string): string {
    return objectKey(this.#name.partition, place);
  }

  /** How an object is opened that a playlist lists, or is about to. */
  openListed(place: string): Opening {
    const since = this.#listed.since(place) ?? this.#context.now();
    return {
      key: this.keyOf(place),
      options: { terms: objectTerms('listed', this.#context.settings), since: since - fetchedAheadMs },
    };
  }

  /**
   * The same, where a playlist lists it, or listed it a while ago and a copy is left; undefined: it is a player's word.
   *
   * @param isReachable whether the endpoint that listed it is registered: no other one has the same object
   */
  findListed(place: string, isReachable: boolean): Opening | undefined {
    const isListed = this.#listed.since(place) !== undefined;
    if (isListed && isReachable) return this.openListed(place);
    const { cache, now, settings } = this.#context;
    const key = this.keyOf(place);
    if (isListed && cache.holds(key))
      return {
        key,
        options: { terms: objectTerms('listed', this.#context.settings), since: Number.NEGATIVE_INFINITY },
      };
    const since = now() - settings.objectMaxAge;
    const stored = cache.stored(key);
    return stored !== undefined && stored.arrivedAt >= since
      ? { key, options: { terms: objectTerms('listed', this.#context.settings), since } }
      : undefined;
  }

  /** True when nobody can fetch the segment any more: its endpoint is gone or failed lately, and no copy is here. */
  isLost({ origin, target, range }: Entry): boolean {
    return !this.#choice.reaches(origin.source) && !this.#context.cache.holds(this.keyOf(placeOf(target, range)));
  }

  /** The request for an object, with one query after the other while it is refused. */
  loadWith(target: string, range: string | undefined, queries: readonly string[]): Load {
    const loads = queries.map((query) => this.load(target, range, query));
    if (this.#tokens.kind !== 'lent') return loads[0] ?? this.load(target, range, '');
    return createLentLoad(loads, (index) => {
      this.#tokens.query = queries[index] ?? this.#tokens.query;
    });
  }

  /**
   * The request for an object, `target` being as a playlist lists it.
   *
   * @param own the player's own query
   * @param via the endpoint to ask, where it is not the pin that says so
   */
  load(target: string, range: string | undefined, own: string, via?: OriginLink): Load {
    const [path = '', query = ''] = target.split('?', 2);
    const { pin: text, originQuery } = parseQuery(query === '' ? '' : `?${query}`);
    const pin = readPin(text, this.#context.keys);
    const suffix = path.slice(this.#name.stem.length);
    const { firstByteTimeoutMs, retries, onRetry } = this.#context;
    return createLoad(this.#places(pin, via), {
      url: (origin) => {
        const url = this.#vouches(origin, pin) ? origin.urlOf(suffix, pin.original) : origin.url(suffix, '');
        url.search = [url.search.slice(1), originQuery, own].filter((part) => part !== '').join('&');
        return url;
      },
      range,
      firstByteTimeoutMs: pin?.held === true ? heldFactor * firstByteTimeoutMs : firstByteTimeoutMs,
      retries,
      onRetry,
    });
  }

  /**
   * Whether the pin names a place of its own; one elsewhere than at an endpoint only for the one that redirected there.
   */
  #vouches(origin: OriginClient, pin: Pin | undefined): pin is Pin & { readonly original: string } {
    if (pin?.original === undefined) return false;
    return pin.original.startsWith('/') || this.#context.tagOf(origin.address) === pin.endpoint;
  }

  /**
   * Where one request looks for an object: at the endpoint of the pin while it is registered, else at the present one, then
   * at any. It throws no_endpoint once the one that has the object failed, registered still or not: no other one has the same.
   */
  #places(pin: Pin | undefined, via: OriginLink | undefined): (failed: readonly ServerOrigin[]) => ObjectSource {
    let wasNamed = false;
    return (failed) => {
      if (wasNamed && failed.length > 0) throw new WeirError('no_endpoint');
      const current = via ?? this.#choice.dropIfGone();
      const named = via?.origin ?? this.#originOf(pin, current);
      wasNamed = named !== undefined;
      if (named !== undefined) return { origin: named, pick: undefined };
      // A failure of one object does not concern others.
      const sticky = failed.length === 0;
      const pick = this.#context.balancer.pick(this.#name.channel, { sticky, exclude: failed });
      const isCurrent = pick.endpoint.address === current?.pick.endpoint.address;
      return { origin: isCurrent && current !== undefined ? current.origin : this.#createOrigin(pick.endpoint), pick };
    };
  }

  #originOf(pin: Pin | undefined, current: OriginLink | undefined): OriginClient | undefined {
    if (pin === undefined) return undefined;
    if (pin.endpoint === current?.tag) return current.origin;
    const endpoint = this.#choice.endpointOf(pin.endpoint);
    return endpoint && this.#createOrigin(endpoint);
  }

  #createOrigin({ address }: Endpoint): OriginClient {
    return createOrigin(address, this.#name, this.#context);
  }
}
