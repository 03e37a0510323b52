// Runs test files one after the other in one process: the parent hands them over, each when it is asked for. What they
// import is loaded and compiled once.

import { once } from 'node:events';
import { suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { BatchMessage } from './batches.js';

/** ms that the process may take to end by itself after its last file. */
const endTimeout = 30_000;

for (;;) {
  process.send?.('next');
  const [message] = (await once(process, 'message')) as [BatchMessage];
  if (message === 'end') break;
  const { file, name, timeout } = message;
  // A file's hooks are for its own tests.
  await suite(name, { timeout }, async () => {
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      test('the file loads', () => Promise.reject(error));
    }
  });
}
process.disconnect();
setTimeout(() => {
  const line = `not ok - a test leaves something open: ${process.getActiveResourcesInfo()}\n`;
  process.stdout.write(line, () => process.exit(1));
}, endTimeout).unref();
