// Runs the failover: one event after the other, with its timers. Its owner carries out the effects.

import { next } from './failover.js';
import {
  awaitsKeyframe,
  awaitsPicture,
  candidateOf,
  currentOf,
  type Effect,
  type FailoverEvent,
  type FailoverState,
  graceOf,
  pauseOf,
} from './failover-state.js';

/** A state as seen from the path of a tag. */
interface Glance<P> {
  /** The pull that delivers. */
  readonly current: P | undefined;
  /** The pull on trial. */
  readonly candidate: P | undefined;
  readonly awaitsKeyframe: boolean;
  readonly awaitsPicture: boolean;
}

const glanceAt = <P>(state: FailoverState<P>): Glance<P> => ({
  current: currentOf(state),
  candidate: candidateOf(state),
  awaitsKeyframe: awaitsKeyframe(state),
  awaitsPicture: awaitsPicture(state),
});

/** Its timers end with the state `over`. */
export class FailoverRun<P> {
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #carryOut: (effect: Effect<P>) => void;
  #state: FailoverState<P> = { phase: 'idle' };
  #glance: Glance<P> = glanceAt(this.#state);
  /** What happened while the effects of an earlier event are carried out. */
  readonly #events: FailoverEvent<P>[] = [];
  #isRunning = false;
  #pauseTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  /**
   * @param graceMs for how long viewers are held
   * @param now monotonic ms
   * @param carryOut does what an effect says; it may tell of further events, which wait
   */
  constructor(graceMs: number, now: () => number, carryOut: (effect: Effect<P>) => void) {
    this.#graceMs = graceMs;
    this.#now = now;
    this.#carryOut = carryOut;
  }

  get state(): FailoverState<P> {
    return this.#state;
  }
  /** What is asked of the state for each tag. */
  get glance(): Glance<P> {
    return this.#glance;
  }

  /** Effects are carried out to the last before the next event is looked at: no event meets a state that is half done. */
  tell(event: FailoverEvent<P>): void {
    this.#events.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let head = this.#events.shift(); head !== undefined; head = this.#events.shift()) {
        const before = this.#state;
        const { state, effects } = next(before, head, this.#now());
        this.#state = state;
        this.#glance = glanceAt(state);
        this.#setTimers(before, state);
        for (const effect of effects) this.#carryOut(effect);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** The timers are what the state says, and nothing else. */
  #setTimers(before: FailoverState<P>, after: FailoverState<P>): void {
    const pauseMs = pauseOf(after);
    if (pauseMs !== pauseOf(before)) {
      clearTimeout(this.#pauseTimer);
      if (pauseMs !== undefined) this.#pauseTimer = setTimeout(() => this.tell({ on: 'pause_over' }), pauseMs);
    }
    const since = graceOf(after);
    if (since !== graceOf(before)) {
      clearTimeout(this.#graceTimer);
      if (since !== undefined) this.#graceTimer = setTimeout(() => this.tell({ on: 'grace_over' }), this.#graceMs);
    }
  }
}
