// Sole owner of what this process knows of each server: picks in flight (its own and, as it was last told, those of the
// edge's other processes), failures, ejections. Kept by server, not by
// channel: load and health belong to a machine, and one machine carries many channels.

import type { ServerOrigin } from '../model.js';
import { afterFailure, afterSuccess, healthy, isEjected, type OutlierSettings } from './outlier.js';
import type { ServerState } from './policy.js';

/** `inFlight` is the sum of ours and theirs. */
type State = { -readonly [K in keyof ServerState]: ServerState[K] } & { ours: number };

/** The state of every server. Times are monotonic ms, handed in. */
export class EndpointStates {
  readonly #states = new Map<ServerOrigin, State>();
  readonly #settings: OutlierSettings;
  /** What the edge's other processes have in flight, whether the server is known here or not. */
  readonly #elsewhere = new Map<ServerOrigin, number>();
  /** Servers where what is ours changed since it was asked for. */
  readonly #changed = new Set<ServerOrigin>();
  #picks = 0;

  constructor(settings: OutlierSettings) {
    this.#settings = settings;
  }

  /** The state of a server, made at its first mention. */
  of(server: ServerOrigin): ServerState {
    let state = this.#states.get(server);
    if (state === undefined) {
      state = { server, inFlight: 0, ours: 0, lastPick: 0, ...healthy };
      state.inFlight = this.#elsewhere.get(server) ?? 0;
      this.#states.set(server, state);
    }
    return state;
  }

  /** Picks of this process that are not done, by server: those of servers where that changed since the last call. */
  inFlightChanges(): [ServerOrigin, number][] {
    const changes = Array.from(this.#changed, (server): [ServerOrigin, number] => [
      server,
      this.#states.get(server)?.ours ?? 0,
    ]);
    this.#changed.clear();
    return changes;
  }

  /**
   * Picks of the edge's other processes that are not done.
   *
   * @param whole a server that is not named has none; else it has as many as before
   */
  setInFlightElsewhere(counts: Iterable<readonly [ServerOrigin, number]>, whole: boolean): void {
    if (whole) for (const server of [...this.#elsewhere.keys()]) this.#setElsewhere(server, 0);
    for (const [server, count] of counts) this.#setElsewhere(server, count);
  }

  /** A pick begins. Every call needs one of `release`. */
  acquire(server: ServerOrigin): void {
    const state = this.of(server) as State;
    state.ours += 1;
    state.inFlight += 1;
    this.#picks += 1;
    this.#changed.add(server);
    state.lastPick = this.#picks;
  }

  release(server: ServerOrigin): void {
    const state = this.#states.get(server);
    if (state === undefined || state.ours === 0) return;
    state.ours -= 1;
    state.inFlight -= 1;
    this.#changed.add(server);
  }

  /** A server that was forgotten stays forgotten: the picks that it had under way end after it left. */
  succeeded(server: ServerOrigin, now: number): void {
    const state = this.#states.get(server);
    if (state === undefined) return;
    if (state.consecutiveFailures > 0 || state.timesEjected > 0) {
      Object.assign(state, afterSuccess(state, now, this.#settings));
    }
  }

  /** True when this failure, or this share of one, ejected the server. */
  failed(server: ServerOrigin, now: number, weight = 1): boolean {
    const state = this.#states.get(server);
    if (state === undefined) return false;
    const before = isEjected(state, now);
    Object.assign(state, afterFailure(state, now, this.#settings, weight));
    return !before && isEjected(state, now);
  }

  /** Servers that something is known of. */
  get size(): number {
    return this.#states.size;
  }

  /** The last endpoint of this server left the snapshot: what was known of it is no longer of use. */
  forget(server: ServerOrigin): void {
    if ((this.#states.get(server)?.ours ?? 0) > 0) this.#changed.add(server);
    this.#states.delete(server);
  }

  #setElsewhere(server: ServerOrigin, count: number): void {
    if (count === 0) this.#elsewhere.delete(server);
    else this.#elsewhere.set(server, count);
    const state = this.#states.get(server);
    if (state !== undefined) state.inFlight = state.ours + count;
  }
}
