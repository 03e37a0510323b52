// Starts simulated origins as processes of their own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/package.js';

export interface OriginProcess {
  readonly address: string;
  readonly name: string;
  signal(name: NodeJS.Signals): void;
  /** kill -9, and waits for its end. */
  kill(): Promise<void>;
}

export async function spawnOrigin(name: string, ...channels: string[]): Promise<OriginProcess> {
  const entry = `${packageRoot}dist/test/support/origin-entry.js`;
  const child = spawn(process.execPath, [entry, name, ...channels], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [address] = (await once(createInterface({ input: child.stdout }), 'line', {
    signal: AbortSignal.timeout(60_000),
  })) as [string];
  return {
    address,
    name,
    signal: (signal) => child.kill(signal),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
