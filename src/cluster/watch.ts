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
/** Bytes that a worker without a player takes, about. */
const emptyWorker = 128 * 1024 ** 2;

/** Bytes that a worker may have resident. */
function memoryLimit(workers: number, { memoryLimit: limit }: WatchSettings, machine: Machine): number {
  return limit === 'auto' ? (machine.memory * memoryShare) / Math.max(1, workers) : limit;
}

/** In words for an operator: a cache that has workers replaced whenever it is full. undefined: it fits. */
export function cacheWarning(
  cacheSize: number,
  workers: number,
  settings: WatchSettings,
  machine: Machine,
): string | undefined {
  const limit = memoryLimit(workers, settings, machine);
  if (cacheSize + emptyWorker <= limit) return undefined;
  const [cache, each] = [cacheSize, limit].map((bytes) => `${Math.floor(bytes / 1024 ** 2)} MiB`);
  return `hls.cacheSize (${cache}) does not fit into the ${each} that a worker may use, and a worker with more is replaced: lower it, or change workers or cluster.memoryLimit`;
}

export function judge(
  worker: { readonly silentFor: number; readonly residentBytes: number },
  workers: number,
  settings: WatchSettings,
  machine: Machine,
): Verdict {
  if (worker.silentFor >= settings.stuckAfter) return 'stuck';
  return worker.residentBytes > memoryLimit(workers, settings, machine) ? 'memory' : undefined;
}

/**
 * One worker a core. One core gets one worker too, not the single process: the supervisor costs some memory, and brings
 * restarts, reloads without a refused connection and the watch.
 */
export function workerCount(workers: 'auto' | number, machine: Machine): number {
  return workers === 'auto' ? Math.max(1, machine.cores) : workers;
}
