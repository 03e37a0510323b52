// The queries and credentials of players that a session sends to origins.

import type { SessionName } from './session-name.js';

/**
 * none: nothing is sent. lent: parameters that do not change the bytes (`hls.unkeyedParameters`), taken from any player who
 * asked. own: a query or credentials by which the session differs from others.
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
