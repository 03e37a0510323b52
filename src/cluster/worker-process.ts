// The supervisor's side of one worker process: messages to it, questions, and its end.

import { setTimeout as sleep } from 'node:timers/promises';
import type { IntakeState } from '../data-plane/contract.js';
import { WeirError } from '../errors.js';
import type { WorkerExitCause } from '../metrics.js';
import type { RegistrySnapshot } from '../snapshot/update.js';
import type { Answers, Question, SupervisorMessage, WorkerMessage } from './messages.js';
import type { WorkerNews } from './news.js';
import { Questions } from './questions.js';
import { WorkerOutbox } from './worker-outbox.js';
import {
  type Child,
  type Deployment,
  type EndCause,
  type Start,
  WorkerStartError,
  type WorkerState,
} from './worker-parts.js';
import { WorkerPicture } from './worker-picture.js';

/** Milliseconds that the last messages of a process may take when it is gone. */
const lastMessagesMs = 1_000;
/** Milliseconds that a worker may take to hear what was published before. */
const hearDeadlineMs = 30_000;
/** Milliseconds that a process may outlive the grace of its players. */
const drainReserveMs = 5_000;

type Heartbeat = Omit<Extract<WorkerMessage, { kind: 'heartbeat' }>, 'kind'>;

export interface WorkerHandlers {
  /** Made when the process has the whole picture, with everything as it is then. */
  start(worker: WorkerProcess): Start;
  news(worker: WorkerProcess, news: WorkerNews): void;
  /** It is gone; its last messages may still come. */
  exited(worker: WorkerProcess, how: string): void;
  /** It reads again after messages were left out: it has to be told everything. */
  caughtUp(worker: WorkerProcess): void;
}

export interface WorkerOptions {
  /** No other worker of this edge has or had it. */
  readonly id: number;
  readonly slot: number;
  readonly deployment: Deployment;
  /** Just started. */
  readonly child: Child;
  readonly handlers: WorkerHandlers;
  /** What is published now. */
  readonly snapshot: () => RegistrySnapshot;
  /** Monotonic ms. */
  readonly now: () => number;
}

/**
 * One worker process, from its start to its last message. Its state only goes forward: starting, serving, draining,
 * gone.
 */
export class WorkerProcess {
  readonly id: number;
  readonly slot: number;
  /** Resolves with how it ended once the process is gone. */
  readonly exited: Promise<string>;
  /** Resolves once it is gone and everything it sent was heard. */
  readonly silent: Promise<void>;
  /** Resolves when it accepts players; rejects with a WorkerStartError. */
  readonly listening: Promise<void>;
  deployment: Deployment;
  readonly #child: Child;
  readonly #handlers: WorkerHandlers;
  readonly #outbox: WorkerOutbox;
  readonly #picture: WorkerPicture;
  readonly #questions = new Questions();
  readonly #now: () => number;
  readonly #startedAt: number;
  #state: WorkerState = 'starting';
  #cause: EndCause | undefined;
  #failedToStart = false;
  #greeted = false;
  #heartbeat: Heartbeat = { residentBytes: 0, utilization: 0, bytesPerSecond: 0 };
  #intake: IntakeState = { open: 0, accepting: true };
  #silentTicks = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #drainTimer: NodeJS.Timeout | undefined;
  #fails: (error: WorkerStartError) => void = () => undefined;

  constructor({ id, slot, deployment, child, handlers, snapshot, now }: WorkerOptions) {
    this.id = id;
    this.slot = slot;
    this.deployment = deployment;
    this.#child = child;
    this.#handlers = handlers;
    this.#now = now;
    this.#startedAt = now();
    this.#outbox = new WorkerOutbox({
      write: (message, socket, taken) => {
        if (child.connected) child.send(message, socket?.handle, undefined, taken);
      },
      caughtUp: () => handlers.caughtUp(this),
    });
    this.#picture = new WorkerPicture({
      current: snapshot,
      write: (message, taken) => {
        if (child.connected) child.send(message, undefined, undefined, taken);
      },
      heard: () => this.ask({ about: 'ping' }, hearDeadlineMs).catch(() => undefined),
      complete: () => this.#begin(),
    });
    this.exited = new Promise((resolve) => {
      const gone = (how: string) => {
        this.#gone();
        resolve(how);
        handlers.exited(this, how);
      };
      child.once('exit', (code: number, signal: string | null) => gone(signal ?? `exit ${code}`));
      // Without a pid it was never started; else a signal or a message was lost, and it ends another way.
      child.on('error', (error: Error) => {
        if (child.pid === undefined) gone(error.message);
      });
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    this.silent = this.exited.then(async () => {
      // A process that is killed while a handle is on its way to it may never be seen to disconnect.
      const enough = new AbortController();
      const late = sleep(lastMessagesMs, undefined, { signal: enough.signal }).catch(() => {});
      if (child.connected) await Promise.race([disconnected, late]);
      enough.abort();
    });
    this.listening = new Promise((resolve, reject) => {
      this.#fails = reject;
      // Neither it nor what is done then can fail.
      void this.exited.then((how) => reject(new WorkerStartError(`a worker ended before it served players: ${how}`)));
      child.on('message', (message: WorkerMessage) => this.#onMessage(message, resolve));
    });
    // It is heard by whoever asks; nobody has to.
    this.listening.catch(() => undefined);
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** As it last said. */
  get residentBytes(): number {
    return this.#heartbeat.residentBytes;
  }

  /** Share of the time, 0 to 1, in which its event loop was busy, as it last said. */
  get utilization(): number {
    return this.#heartbeat.utilization;
  }

  /** Sent to players, as it last said. */
  get bytesPerSecond(): number {
    return this.#heartbeat.bytesPerSecond;
  }

  /** How much of the players' socket it takes, as far as is known. */
  get intake(): IntakeState {
    return this.#intake;
  }

  /** ms */
  get ageMs(): number {
    return this.#now() - this.#startedAt;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why it ended, or has to. */
  get cause(): WorkerExitCause {
    if (this.#cause !== undefined) return this.#cause;
    if (this.pid === undefined) return 'spawn';
    return this.#failedToStart ? 'failed' : 'crash';
  }

  /** Whether it was made to end. */
  get isEnding(): boolean {
    return this.#cause !== undefined;
  }

  /** What is published may be another picture: it is told, at once or when it has room. */
  published(): void {
    this.#picture.changed();
  }

  /** Resolves when it has heard all that is published now, or is gone; one that does not read is ended by the watchdog. */
  async heard(): Promise<void> {
    await this.#picture.settled();
    await this.ask({ about: 'ping' }, hearDeadlineMs).catch(() => undefined);
  }

  /** False: the worker is behind, and hears everything anew when it has caught up. Before its start it needs nothing. */
  send(message: SupervisorMessage): boolean {
    return !this.#greeted || this.#outbox.send(message);
  }

  /** The number of connections it may have. The socket comes along when it had stepped back and may go on. */
  allow(connections: number): void {
    if (this.#state !== 'serving') return;
    const again = !this.#intake.accepting && this.#intake.open < connections;
    if (!again && connections === this.#allowance) return;
    const message = { kind: 'allow', connections } as const;
    if (!this.#outbox.send(message, again ? this.deployment.socket : undefined)) return;
    this.#allowance = connections;
    if (again) this.#intake = { ...this.#intake, accepting: true };
  }

  /**
   * @param deadline ms
   * @throws WeirError the worker's own, or `internal`: after the deadline, when the worker is gone, and at once when it is
   *   behind with what it was told before
   */
  async ask<Q extends Question>(question: Q, deadlineMs: number): Promise<Answers[Q['about']]> {
    if (this.#state === 'gone') throw new WeirError('internal', { detail: 'The worker is gone.' });
    return this.#questions.ask(question, deadlineMs, (message) => this.send(message));
  }

  /** Lets its players finish for `shutdown.grace`, and ends it soon after, whatever it does. */
  drain(cause: EndCause): void {
    if (this.#state === 'gone' || this.#state === 'draining') return;
    this.#cause ??= cause;
    this.#state = 'draining';
    if (!this.#greeted) return this.kill(cause);
    this.#outbox.insist({ kind: 'drain', end: cause === 'shutdown' ? 'shutdown' : 'handover' });
    this.#drainTimer = setTimeout(() => this.kill(cause), this.deployment.config.shutdown.grace + drainReserveMs);
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

  #onMessage(message: WorkerMessage, listens: () => void): void {
    this.#silentTicks = 0;
    switch (message.kind) {
      case 'hello':
        if (this.#state === 'starting') this.#picture.begin();
        break;
      case 'listening':
        if (this.#state === 'starting') this.#state = 'serving';
        if (this.deployment.edgeSocket) this.#outbox.insist({ kind: 'serve-edges' }, this.deployment.edgeSocket);
        listens();
        break;
      case 'failed':
        this.#failedToStart = true;
        this.#fails(new WorkerStartError(message.message, message.code));
        break;
      case 'heartbeat':
        this.#heartbeat = message;
        break;
      case 'answer':
      case 'refusal':
        this.#questions.answered(message);
        break;
      case 'intake':
        this.#intake = message.intake;
        this.#handlers.news(this, message);
        break;
      default:
        this.#handlers.news(this, message);
    }
  }

  /** It has the whole picture. */
  #begin(): void {
    let first: Start;
    try {
      first = this.#handlers.start(this);
    } catch (error) {
      this.#fails(new WorkerStartError(`a worker could not be told how to start: ${(error as Error).message}`));
      this.#failedToStart = true;
      this.#child.kill('SIGKILL');
      return;
    }
    this.#greeted = true;
    this.#outbox.insist(first, this.deployment.socket);
  }

  #gone(): void {
    this.#state = 'gone';
    clearTimeout(this.#drainTimer);
    this.#picture.close();
    this.#questions.end();
  }
}
