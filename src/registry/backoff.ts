// How long to wait before trying again.

export interface Backoff {
  /** Before the first retry, before jitter. */
  readonly baseMs: number;
  /** The longest, before jitter. */
  readonly maxMs: number;
}

/** Doubles with every attempt (from 0); jitter of half its length keeps a fleet from returning in step. */
export function backoffDelay(attempt: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  const wholeMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return wholeMs / 2 + (random() * wholeMs) / 2;
}
