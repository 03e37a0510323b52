// The supervisor's side of one worker process: what it was told, what it is asked, and its end.

import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, WeirError } from '../errors.js';
import type { Answers, Question, SupervisorMessage, WorkerMessage } from './messages.js';

const entry = fileURLToPath(new URL('./worker-entry.js', import.meta.url));
/** Messages that the system has not yet taken; a worker that reads none is stuck, and hears no more updates. */
const longestQueue = 256;

/** Milliseconds that the last messages of a process may take when it is gone. */
const lastWords = 1_000;

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

export class WorkerProcess {
  readonly id: number;
  readonly slot: number;
  /** Resolves with how it ended once the process is gone. */
  readonly exited: Promise<string>;
  /** Resolves once it is gone and everything it sent was heard. */
  readonly silent: Promise<void>;
  /** Resolves with the address it accepts players on; rejects with a WorkerStartError. */
  readonly listening: Promise<AddressInfo>;
  state: WorkerState = 'starting';
  /** Why it is made to end; undefined: it ended by itself. */
  cause: string | undefined;
  residentBytes = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #startedAt = performance.now();
  #greeted = false;
  #asked = 0;
  #queued = 0;
  #silentTicks = 0;
  #drainTimer: NodeJS.Timeout | undefined;

  /** @param start made when the process can take it, so that nothing published meanwhile is missed */
  constructor(slot: number, start: () => Start, onNews: (news: WorkerNews) => void) {
    // One listening socket that all workers accept from: nothing waits in the queue of a worker that ends, and a busy
    // one leaves connections to the others. Handing out connections one by one (round robin) makes the supervisor accept
    // them, costs an exchange of messages for each, and leaves a player hanging whose worker dies meanwhile; SO_REUSEPORT
    // loses those in the queue of a socket that is closed. The policy is read by setupPrimary.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: entry, args: [], serialization: 'advanced' });
    const worker = cluster.fork(withoutSettings(process.env));
    this.#worker = worker;
    this.id = worker.id;
    this.slot = slot;
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code: number, signal: string | null) => {
        this.state = 'gone';
        clearTimeout(this.#drainTimer);
        this.#refuseAll();
        resolve(signal ?? `exit ${code}`);
      });
    });
    const disconnected = new Promise<void>((resolve) => worker.once('disconnect', resolve));
    this.silent = this.exited.then(async () => {
      // A process that is killed while a handle is on its way to it may never be seen to disconnect.
      const enough = new AbortController();
      await Promise.race([disconnected, sleep(lastWords, undefined, { signal: enough.signal }).catch(() => {})]);
      enough.abort();
    });
    this.listening = new Promise((resolve, reject) => {
      this.exited.then((how) => reject(new WorkerStartError(`a worker ended before it served players: ${how}`)));
      worker.on('message', (message: WorkerMessage) => {
        this.#silentTicks = 0;
        if (message.kind === 'hello') {
          this.#greeted = true;
          this.send(start());
        } else if (message.kind === 'answer' || message.kind === 'refusal') this.#answered(message);
        else if (message.kind === 'failed') reject(new WorkerStartError(message.message, message.code));
        else if (message.kind !== 'listening') onNews(message);
        else {
          if (this.state === 'starting') this.state = 'serving';
          resolve(message.address);
        }
      });
    });
    // Both are heard by whoever asks; nobody has to.
    this.listening.catch(() => undefined);
    worker.on('error', () => undefined);
  }

  /** ms */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** A message that must arrive. */
  send(message: SupervisorMessage): void {
    if (!this.#greeted || !this.#worker.isConnected()) return;
    this.#queued += 1;
    this.#worker.process.send(message, undefined, undefined, () => {
      this.#queued -= 1;
    });
  }

  /** A message that may be left out when the worker is behind; it sees the gap, or the next one replaces it. */
  sendIfKeepingUp(message: SupervisorMessage): void {
    if (this.#queued < longestQueue) this.send(message);
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
    this.#worker.process.kill('SIGKILL');
  }

  /** Called at every heartbeat interval: how many of them passed without a word. Time itself would not do: when this
   * process stood still, the worker's heartbeats wait in the pipe. */
  tick(): number {
    this.#silentTicks += 1;
    return this.#silentTicks;
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
function withoutSettings(env: NodeJS.ProcessEnv): Record<string, undefined> {
  const names = Object.keys(env).filter((name) => name.startsWith('WEIR_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
