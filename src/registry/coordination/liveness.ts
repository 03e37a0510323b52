// Whether a session is certainly alive, by what servers confirmed and when.

import { aliveShare } from './session.js';

export interface LivenessOptions {
  /** The session timeout until a server says another one. */
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Called once when the session is not certainly alive any more, a little later than `isAlive` says it. */
  readonly expired: () => void;
}

/** The confirmations of one session after the other. Its timer runs while there is a session. */
export class Liveness {
  /** When the newest question was asked to which a server answered; undefined without a session. */
  #askedAt: number | undefined;
  #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #options: LivenessOptions;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs;
  }

  /** A server answered a question that was asked at this time. */
  confirmed(askedAt: number, timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#askedAt = Math.max(askedAt, this.#askedAt ?? askedAt);
    this.#expire();
  }

  /** There is no session. */
  end(): void {
    clearTimeout(this.#timer);
    this.#askedAt = undefined;
  }

  isAlive(): boolean {
    return this.leftMs() > 0;
  }

  /** For how long it counts as alive without another answer; 0 or less: it does not. */
  leftMs(): number {
    if (this.#askedAt === undefined) return 0;
    return this.#askedAt + this.#timeoutMs * aliveShare - this.#options.now();
  }

  #expire(): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(1, Math.ceil(this.leftMs()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.isAlive()) this.#expire();
      else this.#options.expired();
    }, waitMs);
  }
}

/** Between two questions to the server: several may be lost before the session counts as lost. */
export const questionIntervalMs = (timeoutMs: number) => timeoutMs / 6;
