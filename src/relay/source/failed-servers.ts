// Servers that failed a relay since its last proven pull. They are not picked as long as there is another.

import type { Endpoint, EndpointId, ServerOrigin } from '../../model.js';
import { serverOf } from '../../net-address.js';

/** By server: all endpoints of one fail with it. */
export class FailedServers {
  /** By which endpoint each failed. */
  readonly #failed = new Map<ServerOrigin, EndpointId>();

  /** @param by the endpoint that failed */
  add(server: ServerOrigin, by: EndpointId): void {
    this.#failed.set(server, by);
  }

  list(): ServerOrigin[] {
    return [...this.#failed.keys()];
  }

  clear(): void {
    this.#failed.clear();
  }

  /** One that is registered anew, no longer by the endpoint that failed, may be well again. */
  forgive(registered: readonly Pick<Endpoint, 'address' | 'id'>[]): void {
    for (const [server, by] of this.#failed) {
      const there = registered.filter(({ address }) => serverOf(address) === server);
      if (there.length > 0 && there.every(({ id }) => id !== by)) this.#failed.delete(server);
    }
  }
}
