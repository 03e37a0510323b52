// Time and chance for what the fleet does by itself, so that a simulation can hand in others.

export interface FleetClock {
  /** Monotonic ms. */
  now(): number;
  /** Calls `run` once after so many ms. @returns ends it; harmless when it has run */
  after(ms: number, run: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

/** Time and chance as they are. */
export const realClock: FleetClock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
