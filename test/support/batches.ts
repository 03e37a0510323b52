// Runs test files in a few processes, many in each: to start a process for each file takes longer than most tests.

import { type ChildProcess, spawn } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/package.js';

/** What a process is told when it asks for its next file. */
export type BatchMessage = { readonly file: string; readonly name: string; readonly timeout: number } | 'end';

export interface BatchOptions {
  readonly processes: number;
  /** ms that a file may take. */
  readonly timeout: number;
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Whether a file measures the memory of its process: such files run before all others, one after the other in one process. */
  readonly measuresMemory: (file: string) => boolean;
  readonly print: (text: string) => void;
}

const entry = fileURLToPath(new URL('batch-entry.js', import.meta.url));
/** The numbers with which a reporter ends, whether `tap` or `spec`. */
const total = /^(?:#|ℹ) (\w+) ([\d.]+)$/;

/** Whether all passed. Prints what the reporter of a process says when the process ends, and in the end the totals. */
export async function runInBatches(files: readonly string[], options: BatchOptions): Promise<boolean> {
  const started = performance.now();
  const measuring = files.filter(options.measuresMemory);
  const others = files.filter((file) => !options.measuresMemory(file));
  const totals = new Map<string, number>();
  const results: boolean[] = [];
  const runUntilEmpty = async (queues: readonly string[][]) => {
    const waiting = () => queues.reduce((sum, queue) => sum + queue.length, 0);
    let before = Number.POSITIVE_INFINITY;
    // A process that cannot start takes no file: the next one would fare no better.
    while (waiting() > 0 && waiting() < before) {
      before = waiting();
      results.push(await runBatch(queues, totals, options));
    }
  };
  // Only the first process takes those that measure, and these first: it has imported nothing else by then.
  const queues = (index: number) => (index === 0 ? [measuring, others] : [others]);
  await Promise.all(Array.from({ length: options.processes }, (_, index) => runUntilEmpty(queues(index))));
  if (measuring.length + others.length > 0) results.push(false);
  totals.set('duration_ms', performance.now() - started);
  for (const [what, count] of totals) options.print(`# ${what} ${count}\n`);
  return results.every(Boolean);
}

async function runBatch(
  queues: readonly string[][],
  totals: Map<string, number>,
  options: BatchOptions,
): Promise<boolean> {
  const reporter = process.stdout.isTTY ? 'spec' : 'tap';
  const child = spawn(process.execPath, [...options.flags, `--test-reporter=${reporter}`, entry], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    cwd: packageRoot,
    env: options.env,
  });
  let running: string | undefined;
  child.on('message', () => {
    const file = queues.find((queue) => queue.length > 0)?.shift();
    running = file === undefined ? undefined : relative(`${packageRoot}dist/test`, file);
    tell(child, file === undefined ? 'end' : { file, name: running ?? file, timeout: options.timeout });
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', (exitCode) => resolve(exitCode));
  });
  const lines = output.split('\n');
  options.print(lines.filter((line) => !addTotal(line, totals)).join('\n'));
  const passed = code === 0 && running === undefined;
  // Also what no test is to blame for, such as a rejection that came later.
  if (!passed) {
    options.print(`not ok - the process of ${running ?? 'the above'} ended: ${code ?? child.signalCode}\n`);
  }
  return passed;
}

/** A process that has ended takes nothing: its end is reported where it is waited for. */
function tell(child: ChildProcess, message: BatchMessage): void {
  child.send(message, () => undefined);
}

/** Whether the line is a total; it is added up. */
function addTotal(line: string, totals: Map<string, number>): boolean {
  const [, what, count] = total.exec(line) ?? [];
  if (what === undefined) return false;
  totals.set(what, (totals.get(what) ?? 0) + Number(count));
  return true;
}
