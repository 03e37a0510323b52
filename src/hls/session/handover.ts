// A session as plain data. Another process goes on with it where this one stops, so that players see the same numbers and
// addresses as before.

import type { ChannelName, ServiceAddress } from '../../model.js';
import type { MediaWindow } from '../presentation/live-window.js';
import type { Period } from '../presentation/period.js';
import type { PlaylistName } from '../url/player-query.js';

export interface SessionState {
  /** `sessionKey` of its name. It contains no credentials. */
  readonly key: string;
  readonly channel: ChannelName;
  /** The present endpoint: the next process begins there. */
  readonly endpoint: ServiceAddress | undefined;
  /** Its times are epoch ms: monotonic clocks begin with their process. */
  readonly period: Period;
  readonly playlists: readonly PlaylistState[];
  /** Bytes in memory, about. */
  readonly bytes: number;
}

export interface PlaylistState extends PlaylistName {
  /** Its times are epoch ms. */
  readonly window: MediaWindow;
}

/** @param shiftMs what to add to the times of one clock to get those of the other */
export function shiftTimes(window: MediaWindow, shiftMs: number): MediaWindow {
  const { grownAt, behindSince } = window;
  return {
    ...window,
    grownAt: grownAt + shiftMs,
    behindSince: behindSince === undefined ? undefined : behindSince + shiftMs,
  };
}

/** The same for what the playlists have in common. */
export function shiftPeriod(period: Period, shiftMs: number): Period {
  const { splicePoint } = period;
  return splicePoint === undefined
    ? period
    : { ...period, splicePoint: { ...splicePoint, at: splicePoint.at + shiftMs } };
}

/** ms after which a state that only grew is reported again; an older one still leads to the same numbers. */
const refreshAfterMs = 4_000;

/** Bytes of states that are reported in one message. */
const maxBytesAtOnce = 4 * 1024 * 1024;
/** A larger state is not reported: its players begin anew, and the message stays short for all others. */
const maxStateBytes = 16 * 1024 * 1024;

/** What is known of a session when its state may be reported. */
export interface Reported {
  readonly key: string;
  /** Grows with every change. */
  readonly revision: number;
  readonly bytes: number;
  /** undefined: the session has nothing yet that another process could go on with. */
  readonly state: SessionState | undefined;
}

interface LastReport {
  readonly numbering: string;
  readonly last: string;
  /** Monotonic ms. */
  readonly at: number;
  revision: number;
}

/** Which states are to be reported: at once those whose numbering is new, the others every few seconds. */
export class StateLog {
  readonly #reports = new Map<string, LastReport>();

  /**
   * The states to report now. What does not fit into one message waits for the next.
   *
   * @param now monotonic ms
   */
  due(sessions: readonly Reported[], now: number): SessionState[] {
    const present = new Set(sessions.map(({ key }) => key));
    for (const key of this.#reports.keys()) if (!present.has(key)) this.#reports.delete(key);
    const due: SessionState[] = [];
    let bytes = 0;
    for (const session of sessions) {
      if (session.bytes > maxStateBytes || this.#reports.get(session.key)?.revision === session.revision) continue;
      const { state } = session;
      if (state === undefined || !this.#isDue(session, state, now)) continue;
      if (bytes > 0 && bytes + state.bytes > maxBytesAtOnce) break;
      bytes += state.bytes;
      due.push(state);
      this.#reports.set(session.key, { ...summaryOf(state), at: now, revision: session.revision });
    }
    return due;
  }

  #isDue({ revision }: Reported, state: SessionState, now: number): boolean {
    const before = this.#reports.get(state.key);
    const { numbering, last } = summaryOf(state);
    if (before === undefined || before.numbering !== numbering) return true;
    if (before.last !== last) return now - before.at >= refreshAfterMs;
    before.revision = revision;
    return false;
  }
}

function summaryOf(state: SessionState): { readonly numbering: string; readonly last: string } {
  const last = state.playlists.map(({ window }) => window.entries.at(-1)?.sequence).join(' ');
  return { numbering: numberingOf(state), last };
}

function numberingOf({ endpoint, period, playlists }: SessionState): string {
  const offsets = playlists.map(({ suffix, pin, window }) => `${suffix} ${pin} ${window.period} ${window.offset}`);
  return [endpoint, period.number, ...offsets].join('\n');
}
