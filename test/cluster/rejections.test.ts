import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { surviveRejections } from '../../src/cluster/rejections.js';
import type { Logger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';

const run = promisify(execFile);
const module = pathToFileURL(new URL('../../src/cluster/rejections.js', import.meta.url).pathname).href;

test('each one is counted, and the log says it once a second', async () => {
  const lines: object[] = [];
  const metrics = createMetrics({ process: false });
  const before = process.listeners('unhandledRejection');
  const logger = { error: (fields: object) => lines.push(fields) } as unknown as Logger;
  const stop = surviveRejections(logger, metrics);
  const [listener] = process.listeners('unhandledRejection').filter((one) => !before.includes(one));
  for (let i = 0; i < 1000; i += 1) listener?.(new Error(`${i}`), Promise.resolve());
  stop();
  assert.equal((await metrics.unhandledRejections.get()).values[0]?.value, 1000);
  assert.equal(lines.length, 1);
  assert.deepEqual(process.listeners('unhandledRejection'), before);
});

/** What a process prints that does this first, and then looks whether it is still there. */
async function survives(first: string): Promise<string> {
  const script = `
    import { surviveRejections } from ${JSON.stringify(module)};
    surviveRejections({ error: () => console.log('said') }, { unhandledRejections: { inc: () => console.log('counted') } });
    ${first};
    setTimeout(() => console.log('alive'), 10);`;
  // As users run it: processes of a test are ended otherwise.
  const node = ['--unhandled-rejections=throw', '--input-type=module'];
  const { stdout } = await run(process.execPath, [...node, '-e', script]);
  return stdout;
}

test('a process goes on after a rejection that nobody handles', async () => {
  assert.equal(await survives(`Promise.reject(new Error('lost'))`), 'counted\nsaid\nalive\n');
});

test('a process ends with an exception that nobody catches', async () => {
  await assert.rejects(survives(`setImmediate(() => { throw new Error('lost') })`), { code: 1 });
});
