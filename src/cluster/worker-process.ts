// The supervisor's side of one worker process: what it was told, what it is asked, and its end.

import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { IntakeState } from '../data-plane.js';
import { type ErrorCode, WeirError } from '../errors.js';
import type { ListeningSocket } from './listening-socket.js';
import type { Answers, Question, SupervisorMessage, WorkerMessage } from './messages.js';

const entry = fileURLToPath(new URL('./worker-entry.js', import.meta.url));
/** Messages that the system has not yet taken; a worker that reads none is stuck, and hears no more updates. */
const longestQueue = 256;

/** Milliseconds that the last messages of a process may take when it is gone. */
const lastWords = 1_000;

/** Processes started so far: their numbers are their names. */
let started = 0;

export type WorkerState = 'starting' | 'serving' | 'draining' | 'gone';

/** What a worker tells without being asked. */
export type WorkerNews = Exclude<WorkerMessage, { kind: 'hello' | 'answer' | 'refusal' | 'listening' | 'failed' }>;
type Start = Extract<SupervisorMessage, { kind: 'start' }>;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** The process could not begin to serve: a listener that cannot be opened, for one. Carries the code of the system. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Starts the process; throws, or the process tells an `error`, when the system has nothing left for it. */
export type Spawn = () => ChildProcess;

const forkWorker: Spawn = () => fork(entry, [], { env: withoutSettings(process.env), serialization: 'advanced' });

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
  /** Why it is made to end; undefined: it ended by itself. */
  cause: string | undefined;
  residentBytes = 0;
  /** Share of the time, 0 to 1, in which its event loop was busy. */
  utilization = 0;
  intake: IntakeState = { open: 0, accepting: true };
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #startedAt = performance.now();
  #greeted = false;
  #asked = 0;
  #queued = 0;
  #silentTicks = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #drainTimer: NodeJS.Timeout | undefined;

  /**
   * @param socket that it accepts players from
   * @param start made when the process can take it, so that nothing published meanwhile is missed
   */
  constructor(
    slot: number,
    socket: ListeningSocket,
    start: () => Start,
    onNews: (news: WorkerNews) => void,
    spawn: Spawn = forkWorker,
  ) {
    const child = spawn();
    this.#child = child;
    this.id = ++started;
    this.slot = slot;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code: number, signal: string | null) => {
        this.state = 'gone';
        clearTimeout(this.#drainTimer);
        this.#refuseAll();
        resolve(signal ?? `exit ${code}`);
      });
      child.once('error', (error) => {
        if (child.pid === undefined) resolve(error.message);
      });
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    this.silent = this.exited.then(async () => {
      // A process that is killed while a handle is on its way to it may never be seen to disconnect.
      const enough = new AbortController();
      await Promise.race([disconnected, sleep(lastWords, undefined, { signal: enough.signal }).catch(() => {})]);
      enough.abort();
    });
    this.listening = new Promise((resolve, reject) => {
      this.exited.then((how) => reject(new WorkerStartError(`a worker ended before it served players: ${how}`)));
      child.on('message', (raw) => {
        const message = raw as WorkerMessage;
        this.#silentTicks = 0;
        if (message.kind === 'hello') {
          if (this.state === 'starting') this.#begin(start, socket);
        } else if (message.kind === 'answer' || message.kind === 'refusal') this.#answered(message);
        else if (message.kind === 'failed') reject(new WorkerStartError(message.message, message.code));
        else if (message.kind !== 'listening') onNews(message);
        else {
          if (this.state === 'starting') this.state = 'serving';
          resolve();
        }
      });
    });
    // Both are heard by whoever asks; nobody has to.
    this.listening.catch(() => undefined);
    child.on('error', () => undefined);
  }

  /** ms */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A message that must arrive. */
  send(message: SupervisorMessage): void {
    this.#send(message, undefined);
  }

  /** A message that may be left out when the worker is behind; it sees the gap, or the next one replaces it. */
  sendIfKeepingUp(message: SupervisorMessage): void {
    if (this.#queued < longestQueue) this.send(message);
  }

  /**
   * The number of connections it may have.
   * @param socket that it accepts from again when it had stepped back
   */
  allow(connections: number, socket: ListeningSocket): void {
    if (this.state !== 'serving') return;
    const again = !this.intake.accepting && this.intake.open < connections;
    if (!again && connections === this.#allowance) return;
    this.#allowance = connections;
    if (again) this.intake = { ...this.intake, accepting: true };
    this.#send({ kind: 'allow', connections }, again ? socket : undefined);
  }

  /** Rejects with a WeirError of the worker's, or `internal` after the deadline (ms) and when the worker is gone. */
  ask<Q extends Question>(question: Q, deadline: number): Promise<Answers[Q['about']]> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      if (this.state === 'gone') return reject(new WeirError('internal', { detail: 'The worker is gone.' }));
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new WeirError('internal', { detail: 'The worker did not answer in time.' }));
      }, deadline);
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Answers[Q['about']]), reject, timer });
      this.send({ kind: 'ask', id, question });
    });
  }

  /** Lets its players finish for `grace` ms, and ends it soon after, whatever it does. */
  drain(end: 'shutdown' | 'handover', grace: number): void {
    if (this.state === 'gone' || this.state === 'draining') return;
    this.state = 'draining';
    if (!this.#greeted) return this.kill();
    this.send({ kind: 'drain', end });
    this.#drainTimer = setTimeout(() => this.kill(), grace + 5_000);
  }

  kill(): void {
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
  #begin(start: () => Start, socket: ListeningSocket): void {
    const first = start();
    this.#greeted = true;
    this.#send(first, socket);
  }

  #send(message: SupervisorMessage, socket: ListeningSocket | undefined): void {
    if (!this.#greeted || !this.#child.connected) return;
    this.#queued += 1;
    this.#child.send(message, socket?.handle, undefined, () => {
      this.#queued -= 1;
    });
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

/** Workers get their settings by message: secrets of the environment stay here. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WEIR_')));
}
