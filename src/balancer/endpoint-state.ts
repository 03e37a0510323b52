// Sole owner of what this process knows of each server: picks in flight (its own and, as it was last told, those of the
// edge's other processes), failures, ejections. Kept by server, not by
// channel: load and health belong to a machine, and one machine carries many channels.

import type { ServerOrigin } from '../model.js';
import { afterFailure, afterSuccess, healthy, isEjected, type OutlierSettings } from './outlier.js';
import type { ServerState } from './policy.js';

/** `inFlight` is the sum of ours and theirs. */
type State = { -readonly [K in keyof ServerState]: ServerState[K] } & { ours: number; theirs: number };

/** The state of every server. Times are monotonic ms, handed in. */
export class EndpointStates {
  readonly #states = new Map<ServerOrigin, State>();
  readonly #settings: OutlierSettings;
  #picks = 0;
  #changes = 0;

  constructor(settings: OutlierSettings) {
    this.#settings = settings;
  }

  /** The state of a server, made at its first mention. */
  of(server: ServerOrigin): ServerState {
    let state = this.#states.get(server);
    if (state === undefined) {
      state = { server, inFlight: 0, ours: 0, theirs: 0, lastPick: 0, ...healthy };
      this.#states.set(server, state);
    }
    return state;
  }

  /** Grows whenever a pick begins or ends. */
  get changes(): number {
    return this.#changes;
  }

  /** Picks of this process that are not done, by server; idle ones are left out. */
  inFlight(): [ServerOrigin, number][] {
    return [...this.#states.values()].flatMap(({ server, ours }) => (ours > 0 ? [[server, ours]] : []));
  }

  /** Picks of the edge's other processes that are not done; a server that is not named has none. */
  setInFlightElsewhere(counts: ReadonlyMap<ServerOrigin, number>): void {
    for (const state of this.#states.values()) {
      state.theirs = counts.get(state.server) ?? 0;
      state.inFlight = state.ours + state.theirs;
    }
  }

  /** A pick begins. Every call needs one of `release`. */
  acquire(server: ServerOrigin): void {
    const state = this.of(server) as State;
    state.ours += 1;
    state.inFlight += 1;
    this.#picks += 1;
    this.#changes += 1;
    state.lastPick = this.#picks;
  }

  release(server: ServerOrigin): void {
    const state = this.#states.get(server);
    if (state === undefined || state.ours === 0) return;
    state.ours -= 1;
    state.inFlight -= 1;
    this.#changes += 1;
  }

  /** A server that was forgotten stays forgotten: the picks that it had under way end after it left. */
  succeeded(server: ServerOrigin, now: number): void {
    const state = this.#states.get(server);
    if (state === undefined) return;
    if (state.consecutiveFailures > 0 || state.timesEjected > 0) {
      Object.assign(state, afterSuccess(state, now, this.#settings));
    }
  }

  /** True when this failure ejected the server. */
  failed(server: ServerOrigin, now: number): boolean {
    const state = this.#states.get(server);
    if (state === undefined) return false;
    const before = isEjected(state, now);
    Object.assign(state, afterFailure(state, now, this.#settings));
    return !before && isEjected(state, now);
  }

  /** Servers that something is known of. */
  get size(): number {
    return this.#states.size;
  }

  /** The last endpoint of this server left the snapshot: what was known of it is no longer of use. */
  forget(server: ServerOrigin): void {
    this.#states.delete(server);
  }
}
