// What this machine, or the control group that this process is in, has for weir: cores, memory, open files.

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  /** Bytes, of the machine or its control group. */
  readonly memoryBytes: number;
  /** What a process may have open at once; undefined where the system does not say. */
  readonly openFiles?: number | undefined;
}

/** The content of a file; undefined when it cannot be read. */
export type Read = (path: string) => string | undefined;

const readSystem: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Reads the limits of this machine and of its control groups. Never throws: what cannot be read is no limit. */
export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  const quota = cpuQuota(readSystem);
  return {
    // Node 20 knows which cores this process may run on, not how much of them.
    cores: Math.min(availableParallelism(), quota === undefined ? Number.POSITIVE_INFINITY : Math.ceil(quota)),
    memoryBytes: constrained > 0 && constrained < total ? constrained : total,
    openFiles: openFiles(readSystem),
  };
}

/** Cores, with fractions, that the control groups above this process grant it; undefined: no limit. */
export function cpuQuota(read: Read): number | undefined {
  const quotas = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const unified = controllers === '';
    if (!unified && !controllers.split(',').includes('cpu')) return [];
    const mounts = unified
      ? ['/sys/fs/cgroup']
      : [...new Set([controllers, 'cpu', 'cpu,cpuacct'])].map((name) => `/sys/fs/cgroup/${name}`);
    return mounts
      .flatMap((mount) => withParents(path).map((group) => `${mount}${group}`))
      .flatMap((folder) => (unified ? quotaOf(read(`${folder}/cpu.max`)) : legacyQuota(read, folder)) ?? []);
  });
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

/** `/a/b`, `/a` and the root: a limit of each of them counts. In a container only the root may be there to be read. */
function withParents(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return [...names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`), ''];
}

/** `QUOTA PERIOD` in microseconds. */
function quotaOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

/** Control groups of the first version. */
function legacyQuota(read: Read, folder: string): number | undefined {
  return quotaOf(`${read(`${folder}/cpu.cfs_quota_us`)?.trim()} ${read(`${folder}/cpu.cfs_period_us`)?.trim()}`);
}

/** Of each process of weir. Node has raised its own limit as far as it may. */
export function openFiles(read: Read): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits') ?? '') ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** Files that a process has open beside players' connections, about: to endpoints, to other workers, its own. */
const otherFiles = 256;

/** In words for an operator; undefined: there is room for all players that the settings allow. */
export function openFilesWarning(maxConnections: number, limit: number | undefined): string | undefined {
  if (limit === undefined || limit >= maxConnections + otherFiles) return undefined;
  return `the limit of open files (ulimit -n, LimitNOFILE) is ${limit}: too low for the ${maxConnections} connections to one worker that http.maxConnections allows; raise it, or lower http.maxConnections to ${Math.max(1, limit - otherFiles)}`;
}
