// Moves players away while the edge is out of service. HLS goes with the next request; FLV, which has none, is ended when its time is
// over. Nobody is refused: whoever still comes is served, and has as much time.

/** Between two looks for viewers whose time is over, in ms, at least. */
const minLookMs = 1_000;

export interface DepartureClock {
  /** Monotonic ms. */
  now(): number;
  /** Calls `run` again and again. @returns ends it */
  every(ms: number, run: () => void): () => void;
}

export const realDepartureClock: DepartureClock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/** Whether players are to leave, and by when. */
export class Departure {
  readonly #dismiss: (askedBefore: number) => void;
  readonly #clock: DepartureClock;
  #withinMs: number | undefined;
  #stop = () => {};

  /** @param dismiss ends the streams of players who asked for them before a time, in monotonic ms */
  constructor(dismiss: (askedBefore: number) => void, clock: DepartureClock) {
    this.#dismiss = dismiss;
    this.#clock = clock;
  }

  get isLeaving(): boolean {
    return this.#withinMs !== undefined;
  }

  /** @param withinMs that viewers of FLV may stay, from when they came or from now; undefined: all may stay */
  set(withinMs: number | undefined): void {
    if (withinMs === this.#withinMs) return;
    this.close();
    this.#withinMs = withinMs;
    if (withinMs === undefined) return;
    const since = this.#clock.now();
    this.#stop = this.#clock.every(minLookMs, () => {
      const now = this.#clock.now();
      if (now - since >= withinMs) this.#dismiss(now - withinMs);
    });
  }

  close(): void {
    this.#stop();
    this.#withinMs = undefined;
  }
}
