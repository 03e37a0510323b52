// What a test file started, ended after each of its tests.

import { afterEach } from 'node:test';

/** To be called at the top of a test file. Returns where its tests put what is to be done after each, the last first. */
export function cleanupsAfterEach(): (() => unknown)[] {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return cleanups;
}
