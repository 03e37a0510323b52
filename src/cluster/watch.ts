// Pure: whether a worker has to be replaced, and how many there are.

import type { Machine } from './machine.js';

export interface WatchSettings {
  /** ms */
  readonly stuckAfter: number;
  /** Bytes. */
  readonly memoryLimit: number;
}

/** `stuck`: its event loop stands still, it can only be killed. `memory`: it is drained. */
export type WatchVerdict = 'stuck' | 'memory' | undefined;

/** Whether a worker has to be replaced, and why; undefined: it goes on. */
export function judge(
  worker: { readonly silentForMs: number; readonly residentBytes: number },
  settings: WatchSettings,
): WatchVerdict {
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
