// The contestants: weir in one process, with one worker and with two; and what all processes of one have used.

import { readdirSync, readFileSync } from 'node:fs';
import type { BenchProcess } from '../support/process.js';
import { startWeir } from '../support/weir.js';

export interface BenchEdge {
  readonly name: string;
  readonly url: string;
  /** The supervisor, where there is one. */
  readonly weir: BenchProcess;
}

/** What the others are compared with. */
export const base = '1 worker';

/** @param origin the service address of the channel */
export async function startEdge(
  workers: number,
  channel: string,
  origin: string,
  settings: readonly string[],
): Promise<BenchEdge> {
  const { url, process } = await startWeir({ settings: [`workers=${workers}`, ...settings], channel, origin });
  return { name: workers === 0 ? 'one process' : `${workers} worker${workers > 1 ? 's' : ''}`, url, weir: process };
}

/** CPU seconds of the processes below one. */
export function childrenCpu(parent: number): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[1]) === parent ? Number(fields[11]) + Number(fields[12]) : 0;
      } catch {
        return 0;
      }
    });
  return ticks.reduce((sum, count) => sum + count, 0) / 100;
}
