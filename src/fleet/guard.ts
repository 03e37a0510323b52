// Lets a program run for as long as it has leave to, and no longer. In the guard's process.

import type { GuardReply, GuardRequest, Leave, PassedSignal } from './guard-messages.js';

/** A program in a process group of its own. */
export interface Program {
  /** Sends a signal to the whole group. False: nothing is left of it. */
  signal(name: NodeJS.Signals | 0): boolean;
}

export interface ProgramEvents {
  started(pid: number): void;
  failed(message: string, code: string | undefined): void;
  ended(code: number | null, signal: NodeJS.Signals | null): void;
}

export interface GuardOptions {
  readonly start: (
    request: Pick<Extract<GuardRequest, { kind: 'run' }>, 'command' | 'parameters' | 'variables'>,
    events: ProgramEvents,
  ) => Program;
  readonly tell: (reply: GuardReply) => void;
  /** Milliseconds, as in `Leave`. */
  readonly now: () => number;
}

/** How long a guard whose owner is gone waits between SIGTERM and SIGKILL. */
const orphanGraceMs = 500;
const pollMs = 50;

/** Runs one program after the other. */
export class Guard {
  readonly #options: GuardOptions;
  #program: Program | undefined;
  #leave: Leave = { until: 0, killAt: 0 };
  #isStopping = false;
  #end: Extract<GuardReply, { kind: 'ended' }> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOrphan = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** A program runs, or something of its group is left. */
  get isBusy(): boolean {
    return this.#program !== undefined;
  }

  receive(request: GuardRequest): void {
    if (request.kind === 'run') this.#run(request);
    else if (request.kind === 'signal') this.#pass(request.signal);
    else if (request.kind === 'stop') this.#stop(request.killAt);
    else if (!this.#isStopping) {
      this.#leave = request.leave;
      this.#watch();
    }
  }

  /** Nobody is there any more who could extend the leave. */
  orphan(): void {
    this.#isOrphan = true;
    this.#stop(Math.min(this.#leave.killAt, this.#options.now() + orphanGraceMs));
  }

  #run(request: Extract<GuardRequest, { kind: 'run' }>): void {
    const { start, tell, now } = this.#options;
    // It stood still since it was asked.
    if (this.#isOrphan || now() >= request.leave.until) {
      return tell({ kind: 'ended', code: null, signal: 'SIGKILL' });
    }
    this.#leave = request.leave;
    this.#isStopping = false;
    this.#end = undefined;
    this.#program = start(request, {
      started: (pid) => tell({ kind: 'started', pid }),
      failed: (message, code) => {
        this.#over();
        tell({ kind: 'failed', message, code });
      },
      ended: (code, signal) => {
        this.#end = { kind: 'ended', code, signal };
        this.#watch();
      },
    });
    this.#watch();
  }

  #pass(signal: PassedSignal): void {
    if (this.#end === undefined) this.#program?.signal(signal);
  }

  #stop(killAt: number): void {
    if (this.#program === undefined || this.#isStopping) return;
    this.#isStopping = true;
    this.#leave = { until: 0, killAt: Math.min(killAt, this.#leave.killAt) };
    this.#program.signal('SIGTERM');
    // A program that is stopped (SIGSTOP) would not hear it.
    this.#program.signal('SIGCONT');
    this.#watch();
  }

  /** Does what is due, and looks again when the next thing is. */
  #watch(): void {
    clearTimeout(this.#timer);
    const program = this.#program;
    if (program === undefined) return;
    const now = this.#options.now();
    if (this.#end !== undefined && (!this.#isStopping || !program.signal(0))) return this.#finish(this.#end);
    if (!this.#isStopping && now >= this.#leave.until) return this.#stop(this.#leave.killAt);
    if (this.#isStopping && now >= this.#leave.killAt) program.signal('SIGKILL');
    const dueMs = this.#isStopping ? Math.min(pollMs, this.#leave.killAt - now) : this.#leave.until - now;
    this.#timer = setTimeout(() => this.#watch(), Math.max(1, dueMs));
  }

  #finish(end: Extract<GuardReply, { kind: 'ended' }>): void {
    this.#over();
    this.#options.tell(end);
  }

  #over(): void {
    clearTimeout(this.#timer);
    this.#program = undefined;
  }
}
