// A cache of the names that endpoints have in pins. A name is a keyed hash of an address.

import type { ServiceAddress } from '../../model.js';
import { endpointTag, type PinKeys } from '../url/pin.js';

/** Addresses whose names are remembered; one that left may be asked for once more. */
const maxTags = 100_000;

/** Names by address, made at the first question. */
export class EndpointTags {
  readonly #keys: PinKeys;
  readonly #tags = new Map<ServiceAddress, string>();

  constructor(keys: PinKeys) {
    this.#keys = keys;
  }

  of(address: ServiceAddress): string {
    const known = this.#tags.get(address);
    if (known !== undefined) return known;
    const tag = endpointTag(address, this.#keys);
    if (this.#tags.size >= maxTags) this.#tags.clear();
    this.#tags.set(address, tag);
    return tag;
  }

  /** The address is not registered any more. */
  forget(address: ServiceAddress): void {
    this.#tags.delete(address);
  }
}
