// The supervisor's side of one worker process: what it is told, what it is asked, and its end.

import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DataPlaneConfig, IntakeState } from '../data-plane/contract.js';
import { type ErrorCode, OperatorError, WeirError } from '../errors.js';
import type { ListeningSocket } from './listening-socket.js';
import type { Answers, Question, SupervisorMessage, WorkerMessage } from './messages.js';
import { WorkerOutbox } from './worker-outbox.js';

const entry = fileURLToPath(new URL('./worker-entry.js', import.meta.url));

/** Milliseconds that the last messages of a process may take when it is gone. */
const lastWords = 1_000;

/** Processes started so far: their numbers are their names. */
let started = 0;

export type WorkerState = 'starting' | 'serving' | 'draining' | 'gone';

/** What a worker tells without being asked. */
export type WorkerNews = Exclude<WorkerMessage, { kind: 'hello' | 'answer' | 'refusal' | 'listening' | 'failed' }>;
export type Start = Extract<SupervisorMessage, { kind: 'start' }>;

/** What a worker runs with: both change together. */
export interface Deployment {
  readonly config: DataPlaneConfig;
  /** That it accepts players from. */
  readonly socket: ListeningSocket;
}

/** Why a worker is made to end. `rollback`: it has settings that are not to stay. */
export type EndCause = 'shutdown' | 'reload' | 'rollback' | 'late' | 'stuck' | 'memory';

/** Starts the process; throws, or the process tells an `error`, when the system has nothing left for it. */
export type Spawn = () => ChildProcess;

export interface WorkerHandlers {
  /** Made when the process can take it, so that nothing published meanwhile is missed. */
  start(worker: WorkerProcess): Start;
  news(worker: WorkerProcess, news: WorkerNews): void;
  /** It is gone; its last words may still come. */
  exited(worker: WorkerProcess, how: string): void;
  /** It reads again after messages were left out: it has to be told everything. */
  caughtUp(worker: WorkerProcess): void;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** The process could not begin to serve: a listener that cannot be opened, for one. Carries the code of the system. */
export class WorkerStartError extends OperatorError {
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

export class WorkerProcess {
  readonly id: number;
  readonly slot: number;
  /** Resolves with how it ended once the process is gone. */
  readonly exited: Promise<string>;
  /** Resolves once it is gone and everything it sent was heard. */
  readonly silent: Promise<void>;
  /** Resolves when it accepts players; rejects with a WorkerStartError. */
  readonly listening: Promise<void>;
  state: WorkerState = 'starting';
  deployment: Deployment;
  residentBytes = 0;
  /** Share of the time, 0 to 1, in which its event loop was busy. */
  utilization = 0;
  intake: IntakeState = { open: 0, accepting: true };
  readonly #child: ChildProcess;
  readonly #outbox: WorkerOutbox;
  readonly #waiting = new Map<number, Waiting>();
  readonly #startedAt = performance.now();
  #cause: EndCause | undefined;
  #failedToStart = false;
  #greeted = false;
  #asked = 0;
  #silentTicks = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #drainTimer: NodeJS.Timeout | undefined;

  /** Throws when the system has no room for another process. */
  constructor(slot: number, deployment: Deployment, handlers: WorkerHandlers, spawn: Spawn = forkWorker) {
    const child = spawn();
    this.#child = child;
    this.id = ++started;
    this.slot = slot;
    this.deployment = deployment;
    this.#outbox = new WorkerOutbox({
      write: (message, socket, taken) => {
        if (child.connected) child.send(message, socket?.handle, undefined, taken);
      },
      caughtUp: () => handlers.caughtUp(this),
    });
    this.exited = new Promise((resolve) => {
      const gone = (how: string) => {
        this.state = 'gone';
        clearTimeout(this.#drainTimer);
        this.#refuseAll();
        resolve(how);
        handlers.exited(this, how);
      };
      child.once('exit', (code: number, signal: string | null) => gone(signal ?? `exit ${code}`));
      // Without a pid it was never started; else a signal or a message was lost, and it ends another way.
      child.on('error', (error) => {
        if (child.pid === undefined) gone(error.message);
      });
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    this.silent = this.exited.then(async () => {
      // A process that is killed while a handle is on its way to it may never be seen to disconnect.
      const enough = new AbortController();
      const late = sleep(lastWords, undefined, { signal: enough.signal }).catch(() => {});
      if (child.connected) await Promise.race([disconnected, late]);
      enough.abort();
    });
    this.listening = new Promise((resolve, reject) => {
      // Neither it nor what is done then can fail.
      void this.exited.then((how) => reject(new WorkerStartError(`a worker ended before it served players: ${how}`)));
      child.on('message', (raw) => {
        const message = raw as WorkerMessage;
        this.#silentTicks = 0;
        switch (message.kind) {
          case 'hello':
            if (this.state === 'starting') this.#begin(handlers, reject);
            break;
          case 'answer':
          case 'refusal':
            this.#answered(message);
            break;
          case 'failed':
            this.#failedToStart = true;
            reject(new WorkerStartError(message.message, message.code));
            break;
          case 'listening':
            if (this.state === 'starting') this.state = 'serving';
            resolve();
            break;
          default:
            handlers.news(this, message);
        }
      });
    });
    // It is heard by whoever asks; nobody has to.
    this.listening.catch(() => undefined);
  }

  /** ms */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why it ended, or has to. `failed`: it said that it cannot serve; `spawn`: there never was a process. */
  get cause(): EndCause | 'failed' | 'spawn' | 'crash' {
    if (this.#cause !== undefined) return this.#cause;
    if (this.pid === undefined) return 'spawn';
    return this.#failedToStart ? 'failed' : 'crash';
  }

  /** Whether it was made to end. */
  get isEnding(): boolean {
    return this.#cause !== undefined;
  }

  /** False: the worker is behind, and hears everything anew when it has caught up. Before its start it needs nothing. */
  send(message: SupervisorMessage): boolean {
    return !this.#greeted || this.#outbox.send(message);
  }

  /** The number of connections it may have. The socket comes along when it had stepped back and may go on. */
  allow(connections: number): void {
    if (this.state !== 'serving') return;
    const again = !this.intake.accepting && this.intake.open < connections;
    if (!again && connections === this.#allowance) return;
    const message = { kind: 'allow', connections } as const;
    if (!this.#outbox.send(message, again ? this.deployment.socket : undefined)) return;
    this.#allowance = connections;
    if (again) this.intake = { ...this.intake, accepting: true };
  }

  /**
   * Rejects with a WeirError of the worker's, or `internal`: after the deadline (ms), when the worker is gone, and at once
   * when it is behind with what it was told before.
   */
  ask<Q extends Question>(question: Q, deadline: number): Promise<Answers[Q['about']]> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      if (this.state === 'gone') return reject(new WeirError('internal', { detail: 'The worker is gone.' }));
      if (!this.send({ kind: 'ask', id, question })) {
        return reject(new WeirError('internal', { detail: 'The worker does not keep up.' }));
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new WeirError('internal', { detail: 'The worker did not answer in time.' }));
      }, deadline);
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Answers[Q['about']]), reject, timer });
    });
  }

  /** Lets its players finish for `shutdown.grace`, and ends it soon after, whatever it does. */
  drain(cause: EndCause): void {
    if (this.state === 'gone' || this.state === 'draining') return;
    this.#cause ??= cause;
    this.state = 'draining';
    if (!this.#greeted) return this.kill(cause);
    this.#outbox.insist({ kind: 'drain', end: cause === 'shutdown' ? 'shutdown' : 'handover' });
    this.#drainTimer = setTimeout(() => this.kill(cause), this.deployment.config.shutdown.grace + 5_000);
  }

  kill(cause: EndCause): void {
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  /** Heartbeat intervals that passed without a word. */
  get silentTicks(): number {
    return this.#silentTicks;
  }

  /** Called at every heartbeat interval: how many of them passed without a word. Time itself would not do: when this
   * process stood still, the worker's heartbeats wait in the pipe. */
  tick(): number {
    this.#silentTicks += 1;
    return this.#silentTicks;
  }

  /**
   * To make `start` publishes what is pending, to this worker too: that must not reach it first, and need not reach it at
   * all, since `start` contains it.
   */
  #begin(handlers: WorkerHandlers, reject: (error: WorkerStartError) => void): void {
    let first: Start;
    try {
      first = handlers.start(this);
    } catch (error) {
      reject(new WorkerStartError(`a worker could not be told how to start: ${(error as Error).message}`));
      this.#failedToStart = true;
      this.#child.kill('SIGKILL');
      return;
    }
    this.#greeted = true;
    this.#outbox.insist(first, this.deployment.socket);
  }

  #answered(message: Extract<WorkerMessage, { kind: 'answer' | 'refusal' }>): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.kind === 'answer') waiting.resolve(message.answer);
    else waiting.reject(new WeirError(message.code satisfies ErrorCode, { detail: message.message }));
  }

  #refuseAll(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new WeirError('internal', { detail: 'The worker ended.' }));
    }
    this.#waiting.clear();
  }
}

function forkWorker(): ChildProcess {
  return fork(entry, [], { env: withoutSettings(process.env), serialization: 'advanced' });
}

/** Workers get their settings by message: secrets of the environment stay here. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WEIR_')));
}
