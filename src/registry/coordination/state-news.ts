// Who is told of a session's state.

import type { FleetState } from './session.js';

/** The listeners of a session, and what they are told. */
export class StateNews {
  readonly #listeners = new Set<(state: FleetState) => void>();
  /** What was told last; nothing is told of a session that was never connected. */
  #last: FleetState = { kind: 'lost' };

  /** @returns ends it */
  subscribe(listener: (state: FleetState) => void): () => void {
    let knows = false;
    const own = (state: FleetState) => {
      if (state.kind === 'connected') {
        const fresh = state.fresh || !knows;
        knows = true;
        listener({ kind: 'connected', fresh });
      } else if (knows) {
        knows = state.kind === 'suspended';
        listener(state);
      }
    };
    this.#listeners.add(own);
    if (this.#last.kind === 'connected') own(this.#last);
    return () => this.#listeners.delete(own);
  }

  tell(state: FleetState): void {
    this.#last = state;
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(state);
  }
}
