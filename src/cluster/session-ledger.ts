// The HLS sessions of all workers as last reported. The next owner of a channel goes on from there.

import type { SessionState } from '../data-plane/contract.js';
import type { News } from './news.js';

export interface SessionLedgerSettings {
  /** ms that a session outlives its last report. */
  readonly sessionIdle: number;
  readonly maxSessions: number;
}

/** Bytes of all states: they go to a worker that starts in one message. */
const maxBytes = 64 * 1024 * 1024;

/**
 * The last known state of each HLS session. Bounded by `hls.maxSessions` and 64 MiB: the least recently reported goes
 * first.
 */
export class SessionLedger {
  /** The least recently reported first. */
  readonly #states = new Map<string, { readonly state: SessionState; readonly at: number }>();
  readonly #settings: () => SessionLedgerSettings;
  readonly #now: () => number;
  #bytes = 0;

  /** @param now monotonic ms */
  constructor(news: Pick<News<unknown>, 'on'>, settings: () => SessionLedgerSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    news.on('sessions', (_worker, { sessions }) => this.#report(sessions));
  }

  /** The sessions of the channels that a worker owns. */
  of(owns: (channel: string) => boolean): SessionState[] {
    return [...this.#states.values()].flatMap(({ state }) => (owns(state.channel) ? [state] : []));
  }

  #report(states: readonly SessionState[]): void {
    const { sessionIdle, maxSessions } = this.#settings();
    const at = this.#now();
    for (const state of states) {
      this.#delete(state.key);
      this.#states.set(state.key, { state, at });
      this.#bytes += state.bytes;
    }
    for (const [key, known] of this.#states) {
      const fits = this.#states.size <= maxSessions && this.#bytes <= maxBytes;
      if (fits && at - known.at < sessionIdle) break;
      this.#delete(key);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#states.get(key)?.state.bytes ?? 0;
    this.#states.delete(key);
  }
}
