// A request that carries some player's token (`hls.unkeyedParameters`): first the token that worked last, and where that
// is refused, the token of the player who asks. A refusal concerns that player only, so it ends as an error, which is not
// cached.

import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange, UpstreamHandler } from '../../upstream/client.js';
import { isRefusal, toldOf } from '../../upstream/judge.js';
import type { Load } from '../cache/load.js';

/**
 * One load out of several.
 *
 * @param loads are tried in this order until one is not refused
 * @param worked is called with the index of the load that was not refused
 */
export function createLentLoad(loads: readonly Load[], worked: (index: number) => void = () => undefined): Load {
  return (conditions, handler) => {
    const load = new LentLoad(loads, worked, conditions, handler);
    load.start();
    return load;
  };
}

class LentLoad implements Exchange {
  readonly #loads: readonly Load[];
  readonly #worked: (index: number) => void;
  readonly #conditions: Record<string, string>;
  readonly #handler: UpstreamHandler;
  #index = 0;
  #exchange: Exchange | undefined;

  constructor(
    loads: readonly Load[],
    worked: (index: number) => void,
    conditions: Record<string, string>,
    handler: UpstreamHandler,
  ) {
    this.#loads = loads;
    this.#worked = worked;
    this.#conditions = conditions;
    this.#handler = handler;
  }

  start(): void {
    const handler = this.#handler;
    const exchange = this.#loads[this.#index]?.(this.#conditions, {
      onResponse: (status, headers) => this.#onResponse(status, headers),
      onData: (chunk) => handler.onData(chunk),
      onEnd: () => handler.onEnd(),
      onError: (error) => handler.onError(error),
    });
    this.#exchange = exchange;
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    this.#exchange?.abort();
  }

  #onResponse(status: number, headers: IncomingHttpHeaders): void {
    if (!isRefusal(status)) {
      this.#worked(this.#index);
      this.#handler.onResponse(status, headers);
      return;
    }
    this.#exchange?.abort();
    this.#index += 1;
    if (this.#index < this.#loads.length) this.start();
    else this.#handler.onError(toldOf(status));
  }
}
