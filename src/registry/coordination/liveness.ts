// Whether a session is certainly alive, by what servers confirmed and when. Pure but for what it remembers; the clock is given.

import { aliveShare } from './session.js';

/** The confirmations of one session after the other. Times are monotonic milliseconds. */
export class Liveness {
  /** When the newest question was asked to which a server answered; undefined without a session. */
  #askedAt: number | undefined;
  #timeoutMs: number;

  /** @param timeoutMs of the session */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A server answered a question that was asked at this time. */
  confirmed(askedAt: number, timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#askedAt = Math.max(askedAt, this.#askedAt ?? askedAt);
  }

  /** There is no session. */
  end(): void {
    this.#askedAt = undefined;
  }

  isAlive(now: number): boolean {
    return this.leftMs(now) > 0;
  }

  /** For how long it counts as alive without another answer; 0 or less: it does not. */
  leftMs(now: number): number {
    if (this.#askedAt === undefined) return 0;
    return this.#askedAt + this.#timeoutMs * aliveShare - now;
  }
}

/** Between two questions to the server: several may be lost before the session counts as lost. */
export const questionIntervalMs = (timeoutMs: number) => timeoutMs / 6;
