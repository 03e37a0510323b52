// Keeps one simulated origin running as a process of its own: starts it, reports its end, starts it again.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { OriginMessage, OriginSettings } from './origin-settings.js';

export type OriginEvent =
  | { readonly kind: 'listening'; readonly pid: number; readonly address: string }
  /** `how`: the signal that ended it, or its exit code. */
  | { readonly kind: 'ended'; readonly pid: number; readonly how: string; readonly restartMs: number };

const entry = fileURLToPath(new URL('./origin-process.js', import.meta.url));
/** A process that does not listen by then is killed. */
const startMs = 10_000;
/** A process that does not end by itself is killed after this. */
const stopMs = 3_000;

/** One simulated origin, from `start` to `stop`. */
export class OriginSupervisor {
  readonly name: string;
  readonly #settings: OriginSettings;
  readonly #restartMs: number;
  readonly #observe: (event: OriginEvent) => void;
  #child: ChildProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  #isRegistered = false;
  #reached = '';

  constructor(settings: OriginSettings, restartMs: number, observe: (event: OriginEvent) => void) {
    this.name = settings.name;
    this.#settings = settings;
    this.#restartMs = restartMs;
    this.#observe = observe;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** `host:port`; empty before it listens for the first time. */
  get address(): string {
    return this.#reached;
  }

  /** True while it runs and all its channels were registered. */
  get registered(): boolean {
    return this.#isRegistered;
  }

  /** Resolves when the origin listens. Rejects when it ends before, with what it said. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      let reason = 'it ended before it listened';
      const child = fork(entry, [JSON.stringify(this.#settings)], {
        execArgv: ['--enable-source-maps'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      this.#child = child;
      const startTimer = setTimeout(() => child.kill('SIGKILL'), startMs);
      child.on('error', (error) => reject(error));
      child.on('message', (message: OriginMessage) => {
        if (message.kind === 'failed') reason = message.reason;
        if (message.kind === 'registered') this.#isRegistered = true;
        if (message.kind !== 'listening') return;
        clearTimeout(startTimer);
        this.#reached = message.address;
        this.#observe({ kind: 'listening', pid: child.pid ?? 0, address: message.address });
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(startTimer);
        this.#child = undefined;
        this.#isRegistered = false;
        reject(new Error(`origin ${this.name}: ${reason}`));
        if (this.#stopping) return;
        this.#observe({
          kind: 'ended',
          pid: child.pid ?? 0,
          how: signal ?? `code ${code}`,
          restartMs: this.#restartMs,
        });
        // A start that fails ends with another exit, and so with another try.
        this.#restartTimer = setTimeout(() => this.start().catch(() => undefined), this.#restartMs);
      });
    });
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const killTimer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    if (child.connected) child.disconnect();
    await gone;
    clearTimeout(killTimer);
  }
}
