// Which servers have a registered endpoint: counted as endpoints come and go, since looking at all of them for each one that
// leaves would take longer the more there are.

import type { EndpointId, ServerOrigin, ServiceAddress } from '../model.js';
import { serverOf } from '../net-address.js';
import type { SnapshotChange } from '../snapshot/update.js';

/** The number of endpoints of each server. */
export class RegisteredServers {
  readonly #addresses = new Map<EndpointId, ServiceAddress>();
  readonly #endpoints = new Map<ServerOrigin, number>();

  has(server: ServerOrigin): boolean {
    return this.#endpoints.has(server);
  }

  /** Returns the servers that have no endpoint any more. */
  apply({ put, drop }: SnapshotChange): ServerOrigin[] {
    const left = new Set<ServerOrigin>();
    for (const { id } of drop) this.#leave(id, left);
    for (const { id, address } of put) {
      if (this.#addresses.get(id) === address) continue;
      this.#leave(id, left);
      this.#addresses.set(id, address);
      const server = serverOf(address);
      this.#endpoints.set(server, (this.#endpoints.get(server) ?? 0) + 1);
    }
    return [...left].filter((server) => !this.#endpoints.has(server));
  }

  #leave(id: EndpointId, left: Set<ServerOrigin>): void {
    const address = this.#addresses.get(id);
    if (address === undefined) return;
    this.#addresses.delete(id);
    const server = serverOf(address);
    const others = (this.#endpoints.get(server) ?? 1) - 1;
    if (others > 0) this.#endpoints.set(server, others);
    else {
      this.#endpoints.delete(server);
      left.add(server);
    }
  }
}
