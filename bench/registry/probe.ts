// Loaded into weir's processes before anything else (NODE_OPTIONS=--import): at SIGUSR2 a process writes what it used so far,
// and for how long its event loop stood still at most since it was asked before: by the clock, and by the CPU time that it
// used meanwhile, which does not count what other processes of a busy machine took from it.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Reading {
  /** Of user and system, in ms. */
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
  /** ms */
  readonly longestPause: number;
  /** ms of CPU, helper threads' included. */
  readonly longestWork: number;
}

const { PROBE_DIRECTORY: directory } = process.env;
if (directory !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let asked = 0;
  let longestWork = 0;
  let before = process.cpuUsage();
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    longestWork = Math.max(longestWork, (user + system) / 1e3);
  }, 1).unref();
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage();
    const reading: Reading = {
      cpu: (user + system) / 1e3,
      resident: process.memoryUsage.rss(),
      longestPause: delays.max / 1e6,
      longestWork,
    };
    delays.reset();
    longestWork = 0;
    asked += 1;
    const path = join(directory, `${process.pid}.${asked}`);
    writeFileSync(`${path}.tmp`, JSON.stringify(reading));
    renameSync(`${path}.tmp`, path);
  });
}
