// Endpoints that vanished together with most others: which ones are kept, and for how long. The time does not run while the
// registry is out of reach, since no endpoint could register again then.

import type { Endpoint, EndpointId } from '../model.js';

/** Identifies the same server in the same channel. An address has no space in it. */
const placeOf = ({ address, channel }: Endpoint) => `${address} ${channel}`;

/** The endpoints that are kept as last resorts. */
export class LastResorts {
  /** When each expires, in monotonic ms and in this order: all are kept equally long. */
  readonly #until = new Map<EndpointId, number>();
  readonly #places = new Map<string, EndpointId>();
  readonly #settings: { readonly keep: number };

  /** @param settings how long one is kept, in ms */
  constructor(settings: { readonly keep: number }) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#until.size;
  }

  keep(endpoint: Endpoint, now: number): void {
    this.#until.delete(endpoint.id);
    this.#until.set(endpoint.id, now + this.#settings.keep);
    this.#places.set(placeOf(endpoint), endpoint.id);
  }

  /** The last resort that this endpoint replaces: the same server with another id, since only its session was lost. */
  replacedBy(endpoint: Endpoint): EndpointId | undefined {
    return this.#places.get(placeOf(endpoint));
  }

  release(endpoint: Endpoint): void {
    this.#until.delete(endpoint.id);
    const place = placeOf(endpoint);
    if (this.#places.get(place) === endpoint.id) this.#places.delete(place);
  }

  /** The registry is back: all servers have the whole time again to register. */
  renew(now: number): void {
    for (const id of this.#until.keys()) this.#until.set(id, now + this.#settings.keep);
  }

  /** When the first one expires, in monotonic ms; undefined without any. */
  get first(): number | undefined {
    return this.#until.values().next().value;
  }

  /** Those that have expired at `now`, monotonic ms. */
  expired(now: number): EndpointId[] {
    const over: EndpointId[] = [];
    for (const [id, until] of this.#until) {
      if (until > now) break;
      over.push(id);
    }
    return over;
  }
}
