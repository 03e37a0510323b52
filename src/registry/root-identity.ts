// Remembers which root was read last. A root that was created again means that the server lost its data: known endpoints are
// kept until the origins had time to register again.

import type { Stat } from './zookeeper-client.js';

/** The identity of the root node that was read last. */
export class RootIdentity {
  /** `none` when the root was missing although endpoints are known. */
  #id: string | undefined;
  #settledAt = Number.NEGATIVE_INFINITY;
  readonly #settlingMs: number;

  /** @param settlingMs time that origins are given to register again */
  constructor(settlingMs: number) {
    this.#settlingMs = settlingMs;
  }

  /**
   * The root exists.
   *
   * @param known whether there are endpoints that could be lost
   * @param now epoch ms
   * @returns ms until it may be read; 0 or less: now
   */
  found({ czxid, ctime }: Pick<Stat, 'czxid' | 'ctime'>, known: boolean, now: number): number {
    const id = `${czxid}-${ctime}`;
    if (this.#id !== undefined && this.#id !== id && known) this.#settledAt = now + this.#settlingMs;
    this.#id = id;
    return this.#settledAt - now;
  }

  /** The root does not exist. */
  missing(known: boolean): void {
    this.#id = known ? 'none' : undefined;
  }
}
