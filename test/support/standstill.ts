// How long this process stood still: a test that measures pauses of its own viewers sees those of the machine, too.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { beforeEach } from 'node:test';

/** To be called at the top of a test file. Returns the longest standstill since the test began, in ms. */
export function longestStandstill(): () => number {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  beforeEach(() => delays.reset());
  return () => delays.max / 1e6;
}
