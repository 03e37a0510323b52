// Which root was read last. A root that was made anew means that the server lost its data: what is known stands until the
// origins had time to register again.

import type { Stat } from './zookeeper-client.js';

/** The identity of the root node that was read last. */
export class RootIdentity {
  /** `none` when it was missing although something is known. */
  #id: string | undefined;
  #settledAt = Number.NEGATIVE_INFINITY;
  readonly #settlingMs: number;

  /** @param settlingMs time that origins are given to register again */
  constructor(settlingMs: number) {
    this.#settlingMs = settlingMs;
  }

  /**
   * The root is there.
   *
   * @param known whether there are endpoints that could be lost
   * @param now ms
   * @returns ms for which it is not to be read yet; 0 or less: it is
   */
  found({ czxid, ctime }: Pick<Stat, 'czxid' | 'ctime'>, known: boolean, now: number): number {
    const id = `${czxid}-${ctime}`;
    if (this.#id !== undefined && this.#id !== id && known) this.#settledAt = now + this.#settlingMs;
    this.#id = id;
    return this.#settledAt - now;
  }

  /** The root is not there. */
  missing(known: boolean): void {
    this.#id = known ? 'none' : undefined;
  }
}
