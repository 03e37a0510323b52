// Waiting for a condition with a deadline, instead of sleeping and hoping.

import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds. Only to end a wait in vain, unless it is what is tested: a busy machine takes its time. */
  readonly deadline?: number;
  /** Milliseconds between two looks; default 10. A look that costs much is had less often. */
  readonly interval?: number;
  /** Names the condition in the error. */
  readonly what?: string;
}

/** Polls until `condition` gives something true and returns that; throws after the deadline (default 30 s). */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { deadline = 30_000, interval = 10, what = 'the condition' }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${deadline} ms in vain for ${what}`);
    await sleep(interval);
  }
}
