// Follows the order that this edge is out of service. While the session is away, the last one stands.

import type { FleetClock } from './clock.js';
import { type DrainOrder, decodeDrainOrder } from './drain-order.js';
import type { FleetSession } from './session.js';

/** After a read that failed, in ms. */
const retryMs = 5_000;

/** The order at one path, until `close`. */
export class DrainFollower {
  readonly #session: FleetSession;
  readonly #path: string;
  readonly #changed: (order: DrainOrder | undefined) => void;
  readonly #clock: FleetClock;
  #stopWatching = () => {};
  #stopWaiting = () => {};
  #isClosed = false;
  #newest = 0;

  /** @param changed the order may be another one; undefined: there is none */
  constructor(
    session: FleetSession,
    path: string,
    clock: FleetClock,
    changed: (order: DrainOrder | undefined) => void,
  ) {
    this.#session = session;
    this.#path = path;
    this.#clock = clock;
    this.#changed = changed;
    this.#watch();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#stopWaiting();
  }

  #watch(): void {
    try {
      this.#stopWatching = this.#session.watch(this.#path, 'data', () => void this.#read());
    } catch {
      this.#later(() => this.#watch());
    }
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    this.#newest += 1;
    const turn = this.#newest;
    this.#stopWaiting();
    try {
      const node = await this.#session.get(this.#path);
      if (turn === this.#newest && !this.#isClosed) this.#changed(node && decodeDrainOrder(node.data));
    } catch {
      // With the connection it is read again anyway.
      if (turn === this.#newest) this.#later(() => void this.#read());
    }
  }

  #later(run: () => void): void {
    this.#stopWaiting();
    if (!this.#isClosed) this.#stopWaiting = this.#clock.after(retryMs, run);
  }
}
