// Streams that a program prints: one JSON line with all its streams each time it has looked.
//
//   {"streams":[{"app":"live","stream":"news","viewers":3,"bitrate":1200,"packet_loss_rate":0.01}],"cpu":0.4}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { linesOf } from '../lines.js';
import { type Logger, seldom } from '../log.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { SourceListener, StreamSource } from './poller.js';
import { amountOf, type Fields, nameOf, parseFields, requiredList, textOf } from './shape.js';
import type { Reading, Stream } from './stream.js';

const retry: Backoff = { baseMs: 500, maxMs: 30_000 };
/** A program that ran so long is started again soon after it ends. */
const provenMs = 10_000;
/** From SIGTERM to SIGKILL. */
const killGraceMs = 2_000;
/** From the end of the program to the end of its output. */
const lastOutputMs = 500;
/** A line with a thousand streams takes a tenth of it. */
const maxLineChars = 1024 * 1024;

/** @throws BadAnswer for a line that is not a list of streams */
export function readLine(line: string): Reading {
  const fields = parseFields(line);
  return { streams: requiredList(fields, 'streams').flatMap(streamOf), cpu: share(fields, 'cpu') };
}

function streamOf(fields: Fields): Stream[] {
  const name = nameOf(fields, 'stream');
  if (name === undefined) return [];
  const names = { vhost: textOf(fields, 'vhost') ?? '', app: textOf(fields, 'app') ?? '', name };
  const measured = { viewers: amountOf(fields, 'viewers'), bitrate: amountOf(fields, 'bitrate') };
  return [{ ...names, ...measured, packetLoss: share(fields, 'packet_loss_rate') }];
}

function share(fields: Fields, name: string): number | undefined {
  const value = amountOf(fields, name);
  return value === undefined || value > 1 ? undefined : value;
}

/** The streams that one program prints. The program is started again when it ends. */
export class CommandSource implements StreamSource {
  readonly #program: string;
  readonly #parameters: readonly string[];
  readonly #logger: Logger;
  readonly #warnLine: (fields: { readonly reason: string }) => void;

  constructor(program: string, parameters: readonly string[], logger: Logger) {
    this.#program = program;
    this.#parameters = parameters;
    this.#logger = logger;
    this.#warnLine = seldom((fields) => logger.warn(fields, 'a line of the program says nothing'));
  }

  look(): void {}

  async run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      const reason = await this.#once(listener, signal);
      if (signal.aborted) return;
      // Its streams may go on: only silence takes them out.
      failures = performance.now() - startedAt >= provenMs ? 0 : failures + 1;
      const delayMs = backoffDelay(failures, retry, Math.random);
      this.#logger.warn({ program: this.#program, reason, retryMs: Math.round(delayMs) }, 'the program ended');
      await sleep(delayMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Runs the program to its end; resolves with how it ended. */
  async #once(listener: SourceListener, signal: AbortSignal): Promise<string> {
    const child = spawn(this.#program, this.#parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
    let kill: NodeJS.Timeout | undefined;
    let cut: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill('SIGTERM');
      kill = setTimeout(() => child.kill('SIGKILL'), killGraceMs);
    };
    const ended = endOf(child).then((how) => {
      clearTimeout(kill);
      // Its last output is still read. A child of it may keep the pipe open for ever.
      cut = setTimeout(() => child.stdout.destroy(), lastOutputMs);
      return how;
    });
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const line of linesOf(child.stdout, maxLineChars)) this.#read(line, listener);
    } catch {
      // The output was cut, see above.
    }
    const reason = await ended;
    clearTimeout(cut);
    signal.removeEventListener('abort', stop);
    return reason;
  }

  #read(line: string | undefined, listener: SourceListener): void {
    if (line?.trim() === '') return;
    try {
      if (line === undefined) throw new Error('it is too long');
      listener.answered(readLine(line), performance.now());
    } catch (error) {
      this.#warnLine({ reason: (error as Error).message });
    }
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return code === null ? `by ${signal}` : `with ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}
