// What a test file started, ended after each of its tests.

import { afterEach } from 'node:test';

/**
 * To be called at the top of a test file. Returns where its tests put what is to be done after each, the last first. All of
 * it is done, also when a part fails: nothing is left to the next test.
 */
export function cleanupsAfterEach(): (() => unknown)[] {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    const failures: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  });
  return cleanups;
}
