// What of its players' own goes to origins with a session's requests.

import type { SessionName } from './session-name.js';

/**
 * none: nothing. lent: parameters that say nothing about the bytes (`hls.unkeyedParameters`), of whichever player
 * asked. own: a query or credentials that set the session apart.
 */
export type Tokens = 'none' | 'lent' | 'own';

/** The tokens of one session. */
export class PlayerTokens {
  /** The query that goes to origins: the last one that worked, where players are not told apart by it. */
  query: string;
  readonly #isOwn: boolean;

  constructor({ query, partition }: SessionName) {
    this.query = query;
    this.#isOwn = partition !== '';
  }

  get kind(): Tokens {
    if (this.#isOwn) return 'own';
    return this.query === '' ? 'none' : 'lent';
  }
}
