// The HLS sessions of all workers as they were last told: whoever owns a channel next goes on from there.

import type { SessionState } from '../data-plane.js';

export interface SessionLedgerSettings {
  /** ms that a session outlives its last report. */
  readonly sessionIdle: number;
  readonly maxSessions: number;
}

export class SessionLedger {
  /** The least recently told first. */
  readonly #states = new Map<string, { readonly state: SessionState; readonly at: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  report(states: readonly SessionState[], { sessionIdle, maxSessions }: SessionLedgerSettings): void {
    const at = this.#now();
    for (const state of states) {
      this.#states.delete(state.key);
      this.#states.set(state.key, { state, at });
    }
    for (const [key, known] of this.#states) {
      if (this.#states.size <= maxSessions && at - known.at < sessionIdle) break;
      this.#states.delete(key);
    }
  }

  /** Those of the channels that a worker is to have. */
  of(owns: (channel: string) => boolean): SessionState[] {
    return [...this.#states.values()].flatMap(({ state }) => (owns(state.channel) ? [state] : []));
  }
}
