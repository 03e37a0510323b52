// A place for one worker: the process in it changes, its part of the channels does not. It starts the process, replaces it,
// and starts another one when it died; never two of these at once.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import { type EndCause, WorkerStartError } from './worker-parts.js';
import type { WorkerProcess } from './worker-process.js';

const restart: Backoff = { baseMs: 100, maxMs: 10_000 };
/** A worker that served this long (ms) did not fail to start: the back-off begins anew. */
const settledAfterMs = 30_000;
/** From the start of a process to its first player, in ms. */
const startDeadlineMs = 30_000;

export interface SlotTools {
  /** Starts a process for the slot; throws when the system has no room for one. */
  spawn(slot: number): WorkerProcess;
  /** Another worker serves in the slot, or none. */
  changed(): void;
  readonly logger: Logger;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many ms, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Resolves after so many milliseconds, or at once when the signal aborts. Never rejects. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);

/** The place of one worker. What happens to it happens in turn. */
export class Slot {
  readonly index: number;
  readonly #tools: SlotTools;
  readonly #over = new AbortController();
  #starting: WorkerProcess | undefined;
  #current: WorkerProcess | undefined;
  /** Starts in a row that did not settle. */
  #attempts = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  /** What happens in a slot happens one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #reviving: AbortController | undefined;

  constructor(index: number, tools: SlotTools) {
    this.index = index;
    this.#tools = tools;
  }

  /** The worker that serves. */
  get current(): WorkerProcess | undefined {
    return this.#current;
  }

  /** Resolves when nothing is under way any more; after `close`. */
  get idle(): Promise<unknown> {
    return this.#queue;
  }

  /** Resolves when a worker accepts players; rejects when it cannot, with none left behind. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#launch());
  }

  /**
   * Puts a new worker in the place of the present one, which then drains: the new one accepts players before the old one
   * stops to. Rejects, with the old one in place, when the new one cannot start. Where none serves, this is the next
   * attempt to bring one back.
   */
  async replace(cause: EndCause): Promise<void> {
    this.#reviving?.abort();
    await this.#inTurn(async () => {
      if (this.#over.signal.aborted) return;
      const before = this.#current;
      try {
        await this.#launch();
      } catch (error) {
        if (this.#current === undefined) this.revive();
        throw error;
      }
      before?.drain(cause);
    });
  }

  /** Brings a worker back: at once, then with a growing delay, until one serves. */
  revive(): void {
    if (this.#over.signal.aborted || this.#reviving?.signal.aborted === false) return;
    const reviving = new AbortController();
    this.#reviving = reviving;
    const signal = AbortSignal.any([reviving.signal, this.#over.signal]);
    void this.#inTurn(async () => {
      while (this.#current === undefined && !signal.aborted) await this.#attempt(signal);
      reviving.abort();
    });
  }

  /** A process has ended: if it was the one that served, another one takes its place. */
  lost(worker: WorkerProcess): void {
    if (this.#current !== worker) return;
    this.#current = undefined;
    this.#tools.changed();
    this.revive();
  }

  /** Starts no process any more. Who serves stays until it is ended. */
  close(): void {
    this.#over.abort();
  }

  /** Closes the slot and drains what it has. */
  retire(cause: EndCause): void {
    this.close();
    this.#starting?.drain(cause);
    this.#current?.drain(cause);
    this.#current = undefined;
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { now, random, pause, logger } = this.#tools;
    if (now() - this.#startedAt > settledAfterMs) this.#attempts = 0;
    // The first time at once: players of this worker are looking for another one.
    const delay = this.#attempts === 0 ? 0 : backoffDelay(this.#attempts - 1, restart, random);
    this.#attempts += 1;
    if (delay > 0) await pause(delay, signal);
    if (signal.aborted) return;
    try {
      await this.#launch();
    } catch (error) {
      logger.error({ worker: this.index, error: wordsOf(error) }, 'worker cannot start');
    }
  }

  /** Starts a process; resolves when it accepts players, and never leaves one behind that does not. */
  async #launch(): Promise<void> {
    const { spawn, now, logger, changed } = this.#tools;
    this.#startedAt = now();
    const worker = spawn(this.index);
    this.#starting = worker;
    const late = setTimeout(() => worker.kill('late'), startDeadlineMs);
    try {
      await worker.listening;
      if (worker.state !== 'serving') throw new WorkerStartError('it was ended while it started');
    } catch (error) {
      await worker.exited;
      throw error;
    } finally {
      clearTimeout(late);
      this.#starting = undefined;
    }
    this.#current = worker;
    changed();
    logger.info({ worker: this.index, pid: worker.pid }, 'worker started');
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** The message of an error, for a log line. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
