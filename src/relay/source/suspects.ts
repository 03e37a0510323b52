// Endpoints that failed a stream which no endpoint has delivered yet. A player can ask for a name that does not exist, and
// some servers answer that with silence or a page. They are at fault only if another endpoint delivers the stream.

import type { Pick } from '../../balancer/balancer.js';
import type { Outcome } from '../../balancer/policy.js';

/** What says nothing against an endpoint, and what says the same whatever it is asked for: told at once. */
const certain: ReadonlySet<Outcome> = new Set([
  'success',
  'abandoned',
  'interrupted',
  'connect_error',
  'connect_timeout',
]);

/** Picks that failed, held back until it is known whose fault it was. */
export class Suspects {
  readonly #held: { readonly pick: Pick; readonly outcome: Outcome }[] = [];
  #exists = false;

  /** The same pick, whose failure is held back until it is known whether the stream exists. */
  watch(pick: Pick): Pick {
    return {
      endpoint: pick.endpoint,
      server: pick.server,
      firstByte: () => pick.firstByte(),
      done: (outcome) => {
        if (this.#exists || certain.has(outcome)) pick.done(outcome);
        else this.#held.push({ pick, outcome });
      },
    };
  }

  /** An endpoint delivers it. */
  exists(): void {
    this.#exists = true;
    for (const { pick, outcome } of this.#held.splice(0)) pick.done(outcome);
  }

  /** Nobody will know any more. */
  close(): void {
    for (const { pick } of this.#held.splice(0)) pick.done('abandoned');
  }
}
