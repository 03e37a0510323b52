// Starts the process of a worker.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('./worker-entry.js', import.meta.url));

/** @throws Error of the system that has no room for another process; a later failure is an `error` of the child */
export function forkWorker(): ChildProcess {
  return fork(entry, [], { env: withoutSettings(process.env), serialization: 'advanced' });
}

/** Workers get their settings by message: secrets of the environment stay here. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WEIR_')));
}
