// How much may be asked of a session at once.

import { FleetError, maxCallBytes, maxCalls, maxDataBytes } from './session.js';

/** Counts the calls under way and the data they carry. */
export class CallGate {
  #calls = 0;
  #bytes = 0;

  /**
   * Runs `work`, which counts as under way until it has settled.
   *
   * @throws FleetError `too_large` or `busy`: it was not run
   */
  async pass<T>(what: string, data: string, work: () => Promise<T>): Promise<T> {
    // Most strings need not be encoded to know it.
    const bytes = data.length > maxDataBytes ? Number.POSITIVE_INFINITY : Buffer.byteLength(data);
    if (bytes > maxDataBytes) throw new FleetError('too_large', what);
    if (this.#calls >= maxCalls || this.#bytes + bytes > maxCallBytes) throw new FleetError('busy', what);
    this.#calls += 1;
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#calls -= 1;
      this.#bytes -= bytes;
    }
  }
}
