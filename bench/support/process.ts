// Processes of a benchmark: started, waited for until they say where they listen, measured by the kernel's own count.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface BenchProcess {
  readonly pid: number;
  /** The first line it printed. */
  readonly firstLine: string;
  /** CPU seconds used so far, user and system. */
  cpuSeconds(): number;
  /** Resident memory in bytes. */
  residentBytes(): number;
  stop(): Promise<void>;
}

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString()) || 100;
const pageBytes = Number(spawnSync('getconf', ['PAGESIZE']).stdout.toString()) || 4096;

/** From SIGTERM to SIGKILL, in ms. */
const patience = 3_000;

/** Whatever happens, nothing is left running. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), patience);
  await exited;
  clearTimeout(late);
}

/** Ends every process that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(end));
}

export interface StartOptions {
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until its first line; default 10,000. */
  readonly deadlineMs?: number;
}

/** Starts a program, pinned to one core if asked, and waits for its first line on standard output. */
export async function start(
  command: readonly string[],
  core?: number,
  { env, deadlineMs = 10_000 }: StartOptions = {},
): Promise<BenchProcess> {
  const words = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const [program = '', ...parameters] = words;
  const child: ChildProcess = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error(`cannot start ${program}`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const lines = createInterface({ input: stdout });
  const [firstLine] = (await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(deadlineMs) }),
    once(child, 'exit').then(() => Promise.reject(new Error(`${words.join(' ')} ended before it was ready`))),
  ])) as [string];
  return {
    pid,
    firstLine,
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    },
    residentBytes: () => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes,
    stop: () => end(child),
  };
}

export function node(...parameters: string[]): string[] {
  return [process.execPath, ...parameters];
}
