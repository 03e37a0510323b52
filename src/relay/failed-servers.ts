// Servers that failed a relay since its last pull that was proven: not picked as long as there is another.

import type { Endpoint, EndpointId, ServerOrigin } from '../model.js';
import { serverOf } from '../net-address.js';

export class FailedServers {
  /** By which endpoint each failed. */
  readonly #failed = new Map<ServerOrigin, EndpointId>();

  add(server: ServerOrigin, by: EndpointId): void {
    this.#failed.set(server, by);
  }

  list(): ServerOrigin[] {
    return [...this.#failed.keys()];
  }

  clear(): void {
    this.#failed.clear();
  }

  /** One that is registered anew may be well again. */
  forgive(registered: Iterable<Pick<Endpoint, 'address' | 'id'>>): void {
    for (const { address, id } of registered) {
      const server = serverOf(address);
      if (this.#failed.has(server) && this.#failed.get(server) !== id) this.#failed.delete(server);
    }
  }
}
