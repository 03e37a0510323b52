// Pure: whether a worker has to be replaced, and how many there are.

import type { Machine } from './machine.js';
import type { EndCause } from './worker-parts.js';

export interface WatchSettings {
  /** ms */
  readonly stuckAfter: number;
  /** Bytes. */
  readonly memoryLimit: number;
}

/** Why a worker is replaced, and what the log says then. One that is `stuck` can only be killed; others drain. */
export const replacements = {
  stuck: 'worker is stuck: killing it',
  memory: 'worker uses too much memory: replacing it',
} as const satisfies Partial<Record<EndCause, string>>;
export type Replacement = keyof typeof replacements;

/** Whether a worker has to be replaced, and why; undefined: it goes on. */
export function judge(
  worker: { readonly silentForMs: number; readonly residentBytes: number },
  settings: WatchSettings,
): Replacement | undefined {
  if (worker.silentForMs >= settings.stuckAfter) return 'stuck';
  return worker.residentBytes > settings.memoryLimit ? 'memory' : undefined;
}

/**
 * One worker per core. One core gets one worker too, not the single process: the supervisor costs some memory, and brings
 * restarts, reloads without a refused connection and the watch.
 */
export function workerCount(workers: 'auto' | number, machine: Machine): number {
  return workers === 'auto' ? Math.max(1, machine.cores) : workers;
}
