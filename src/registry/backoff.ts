// How long to wait before trying again.

export interface Backoff {
  /** Milliseconds before the first retry, on average. */
  readonly base: number;
  /** Milliseconds at most. */
  readonly max: number;
}

/** Doubles with every attempt (from 0); jitter of half its length keeps a fleet from returning in step. */
export function backoffDelay(attempt: number, { base, max }: Backoff, random: () => number): number {
  const whole = Math.min(max, base * 2 ** Math.min(attempt, 30));
  return whole / 2 + (random() * whole) / 2;
}
