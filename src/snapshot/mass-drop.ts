// Decides whether it is believable that so many endpoints vanish at once. A registry that loses most of its nodes within
// seconds has more likely lost their sessions or its data (an overloaded ensemble, a partition on the origins' side, an empty
// disk) than all those origins have died. Synapse and Eureka guard against the same: stale beats empty.

import type { Endpoint, EndpointId } from '../model.js';

export interface MassDropSettings {
  /** Share of all endpoints, 0..1, that has to be exceeded. */
  readonly share: number;
  /** Fewer endpoints than this are never a mass drop, if they were seen to vanish. */
  readonly minimum: number;
}

/** @param vanished endpoints that vanished within the window; @param remaining endpoints that are still there */
export function isMassDrop(vanished: number, remaining: number, settings: MassDropSettings): boolean {
  return vanished >= settings.minimum && vanished > settings.share * (vanished + remaining);
}

/**
 * The endpoints that vanished lately. A deletion that is seen as it happens is believed, unless it is one of many within the
 * window. Endpoints that are missing in a picture read after an outage were not seen to vanish: no number of them is too small
 * to be doubted, since two of two missing endpoints may be a registry that lost its data.
 */
export class Vanished {
  /** The latest last. */
  readonly #seen = new Map<EndpointId, { readonly endpoint: Endpoint; readonly at: number }>();
  readonly #settings: MassDropSettings & { readonly window: number };

  /** @param settings `window` in ms */
  constructor(settings: MassDropSettings & { readonly window: number }) {
    this.#settings = settings;
  }

  /** @param now monotonic ms, as below */
  add(endpoint: Endpoint, now: number): void {
    this.#seen.delete(endpoint.id);
    this.#seen.set(endpoint.id, { endpoint, at: now });
  }

  /**
   * The endpoints whose disappearance is not believed.
   *
   * @param remaining endpoints that are still registered
   * @param unseen the last ones were not seen to vanish
   */
  doubted(remaining: number, now: number, unseen: boolean): Endpoint[] {
    const { window, minimum, share } = this.#settings;
    for (const [id, { at }] of this.#seen) {
      if (now - at <= window) break;
      this.#seen.delete(id);
    }
    if (!isMassDrop(this.#seen.size, remaining, { share, minimum: unseen ? 1 : minimum })) return [];
    return Array.from(this.#seen.values(), ({ endpoint }) => endpoint);
  }
}
