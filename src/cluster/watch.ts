// Pure: whether a worker has to be replaced, and how many there are.

export interface WatchSettings {
  /** ms */
  readonly stuckAfter: number;
  /** Bytes, or a share of the machine. */
  readonly memoryLimit: 'auto' | number;
}

export interface Machine {
  readonly cores: number;
  /** Bytes, of the machine or its control group. */
  readonly memory: number;
}

/** `stuck`: its event loop stands still, it can only be killed. `memory`: it is drained. */
export type Verdict = 'stuck' | 'memory' | undefined;

const memoryShare = 0.8;

export function judge(
  worker: { readonly silentFor: number; readonly residentBytes: number },
  workers: number,
  settings: WatchSettings,
  machine: Machine,
): Verdict {
  if (worker.silentFor >= settings.stuckAfter) return 'stuck';
  const limit =
    settings.memoryLimit === 'auto' ? (machine.memory * memoryShare) / Math.max(1, workers) : settings.memoryLimit;
  return worker.residentBytes > limit ? 'memory' : undefined;
}

/**
 * One worker a core. One core gets one worker too, not the single process: the supervisor costs some memory, and brings
 * restarts, reloads without a refused connection and the watch.
 */
export function workerCount(workers: 'auto' | number, machine: Machine): number {
  return workers === 'auto' ? Math.max(1, machine.cores) : workers;
}
