// Pure: how much memory a worker may have resident, and how much of that its caches and buffers may take.

import type { Machine } from './machine.js';

export interface MemorySettings<Key extends string> {
  /** Bytes for each worker; auto: a share of the machine. */
  readonly memoryLimit: 'auto' | number;
  /** What each worker may fill, in bytes, by the name of the setting. */
  readonly budgets: Readonly<Record<Key, number>>;
  /** Those that are objects of the heap, and no buffers. */
  readonly onHeap: readonly NoInfer<Key>[];
}

export interface MemoryPlan<Key extends string> {
  /** Bytes; a worker with more is replaced. */
  readonly limitBytes: number;
  /** Bytes; as set, or what fits. */
  readonly budgets: Readonly<Record<Key, number>>;
  /** In words for an operator, when the settings do not fit; a warning when workers will suffer from it. */
  readonly notice: { readonly level: 'info' | 'warn'; readonly text: string } | undefined;
}

const MiB = 1024 ** 2;
/** Of the machine, for all workers together. */
const share = 0.8;
/** Bytes that a worker takes beside its budgets, about: 81 MiB idle and 126 MiB with 100 players were measured. */
const emptyWorkerBytes = 128 * MiB;
/**
 * Bytes resident for a byte of the heap: twice as many with garbage, but what is counted is more than what is held. 440 MiB were
 * measured beside an empty worker for 256 MiB of sessions.
 */
const heapShare = 1.5;
/** No budget is made smaller than this (bytes): players of one channel share segments for seconds. */
const minBudgetBytes = 16 * MiB;

/**
 * Budgets that do not fit would have each worker replaced as soon as they are full, and its players cut off, again and
 * again. So they get what fits, each its part; and where the machine has not even that, `auto` allows what a worker needs.
 */
export function planMemory<Key extends string>(
  { memoryLimit, budgets: wanted, onHeap }: MemorySettings<Key>,
  workers: number,
  machine: Machine,
): MemoryPlan<Key> {
  const given = memoryLimit === 'auto' ? (machine.memoryBytes * share) / Math.max(1, workers) : memoryLimit;
  const resident = (budgets: Readonly<Record<Key, number>>) =>
    sum(budgets) + onHeap.reduce((more, key) => more + (heapShare - 1) * budgets[key], 0);
  const part = Math.max(0, given - emptyWorkerBytes) / Math.max(1, resident(wanted));
  const budgets = mapValues(wanted, (bytes) =>
    Math.min(bytes, Math.max(minBudgetBytes, Math.floor(bytes * Math.min(1, part)))),
  );
  const needed = emptyWorkerBytes + resident(budgets);
  const limitBytes = memoryLimit === 'auto' ? Math.max(given, needed) : given;
  if (needed > given)
    return { limitBytes, budgets, notice: { level: 'warn', text: tooLittle(memoryLimit, given, needed) } };
  if (sum(budgets) === sum(wanted)) return { limitBytes, budgets, notice: undefined };
  const names = Object.entries<number>(wanted).map(([key, bytes]) => `${key} (${inMiB(bytes)})`);
  const text = `of ${names.join(', ')} ${inMiB(sum(budgets))} in all are used: more does not fit into the ${inMiB(given)} that each worker may use`;
  return { limitBytes, budgets, notice: { level: 'info', text } };
}

function tooLittle(memoryLimit: 'auto' | number, given: number, needed: number): string {
  return memoryLimit === 'auto'
    ? `the ${inMiB(given)} that each worker may use are less than the ${inMiB(needed)} that it needs: lower workers, or give the machine more memory`
    : `cluster.memoryLimit is ${inMiB(given)}, less than the ${inMiB(needed)} that a worker needs: workers will be replaced again and again`;
}

const sum = (values: Readonly<Record<string, number>>) => Object.values(values).reduce((all, one) => all + one, 0);

function mapValues<Key extends string>(values: Readonly<Record<Key, number>>, map: (value: number) => number) {
  return Object.fromEntries(Object.entries<number>(values).map(([key, value]) => [key, map(value)])) as Record<
    Key,
    number
  >;
}

const inMiB = (bytes: number) => `${Math.floor(bytes / MiB)} MiB`;
