// The built command line as a process of its own, as a user runs it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/package.js';

export interface WeirProcess {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:PORT` of the data listener. */
  readonly players: string;
  /** `http://127.0.0.1:PORT` of the admin listener. */
  readonly admin: string;
  /** Everything it wrote to standard error so far. */
  log(): string;
  /** SIGTERM, and SIGKILL after 20 s; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const main = `${packageRoot}dist/src/main.js`;

/**
 * Spawns `weir` with these words; nothing is waited for.
 * @param detached in a process group of its own
 */
export function spawnWeir(
  parameters: readonly string[],
  env: Record<string, string> = {},
  detached = false,
): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', main, ...parameters], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached,
    env: { ...process.env, ...env },
  });
}

/** Runs `weir` to its end, 60 s at most. */
export async function runWeir(parameters: readonly string[], input = '', env: Record<string, string> = {}) {
  const child = spawnWeir(parameters, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin?.end(input);
  const deadline = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  return { code, stdout, stderr };
}

const onFreePorts = (parameters: readonly string[]) => [
  'serve',
  ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
  ...parameters,
];

/** `weir serve` on free ports, once it said that it is ready (60 s at most). */
export function serveWeir(...parameters: string[]): Promise<WeirProcess> {
  return untilReady(spawnWeir(onFreePorts(parameters)));
}

/** The same in a process group of its own, whose id is that of the process. */
export function serveWeirInGroup(...parameters: string[]): Promise<WeirProcess> {
  return untilReady(spawnWeir(onFreePorts(parameters), {}, true));
}

async function untilReady(child: ChildProcess): Promise<WeirProcess> {
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code] = await exited;
    clearTimeout(deadline);
    return code;
  };
  if (child.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout });
  try {
    const [ready] = (await Promise.race([
      once(lines, 'line', { signal: AbortSignal.timeout(60_000) }),
      // Not before everything it had to say was read, and all its processes are gone.
      once(child, 'close').then(() => Promise.reject(new Error('weir ended before it was ready'))),
    ])) as [string];
    const [players, admin] = ready.match(/http:\/\/[^\s,]+/g) ?? [];
    if (players === undefined || admin === undefined) throw new Error(`not the ready line: ${ready}`);
    return { child, players, admin, log: () => log, stop };
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${log}`);
  }
}
