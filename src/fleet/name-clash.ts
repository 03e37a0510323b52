// Whether two edges of a site have one name. For a short time that is normal: the node of an edge that was killed stays until its
// session times out, beside the node of the same edge started again.

import type { EdgeNode } from './edge-record.js';

/** How many session timeouts both have to be there. */
const patience = 3;

/** Looks for another edge with the own name, and says when there is one and when it is gone. */
export class NameClash {
  readonly #own: EdgeNode;
  readonly #changed: (isThere: boolean) => void;
  /** The other one, and since when it was seen, in monotonic ms. */
  #other: { readonly run: string; readonly since: number } | undefined;
  #isThere = false;

  /** @param changed there is a clash, or it is over */
  constructor(own: EdgeNode, changed: (isThere: boolean) => void) {
    this.#own = own;
    this.#changed = changed;
  }

  /**
   * The edges of the site as they are now.
   *
   * @param timeoutMs of a session
   */
  seen(edges: readonly EdgeNode[], now: number, timeoutMs: number): void {
    const others = edges.filter(({ name, run }) => name === this.#own.name && run !== this.#own.run);
    const known = others.find(({ run }) => run === this.#other?.run);
    if (known === undefined) this.#other = others[0] && { run: others[0].run, since: now };
    const isThere = this.#other !== undefined && now - this.#other.since >= patience * timeoutMs;
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#changed(isThere);
  }
}
