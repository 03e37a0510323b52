// What the workers are told of the fleet, and what the fleet is told of them.

import type { FleetOrders } from '../data-plane/contract.js';
import type { Vitals } from '../fleet/traffic.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

type Worker = Pick<WorkerProcess, 'send' | 'state' | 'intake' | 'bytesPerSecond'>;

/** Sole owner of what the fleet last said. */
export class FleetLedger<W extends Worker = WorkerProcess> {
  readonly #workers: Workers<W>;
  #orders: FleetOrders = { edges: 1, leaveWithinMs: undefined };

  constructor(workers: Workers<W>) {
    this.#workers = workers;
  }

  get orders(): FleetOrders {
    return this.#orders;
  }

  set(orders: FleetOrders): void {
    this.#orders = orders;
    for (const worker of this.#workers.all()) this.resend(worker);
  }

  /** Tells one worker what it may have missed. */
  resend(worker: W): void {
    worker.send({ kind: 'fleet', orders: this.#orders });
  }

  vitals(): Vitals {
    const all = [...this.#workers.all()].filter(({ state }) => state !== 'gone');
    return {
      workers: this.#workers.serving().length,
      viewers: all.reduce((sum, { intake }) => sum + intake.open, 0),
      bytesPerSecond: all.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0),
    };
  }
}
