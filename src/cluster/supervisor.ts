// Keeps the workers running: starts them, starts again what dies, replaces them one after the other, watches them, and
// ends them. It has no player's connection, and knows nothing of what the workers serve.

import { setTimeout as sleep } from 'node:timers/promises';
import type { DataPlaneConfig, OwnListener } from '../data-plane.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName, Update } from '../model.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import { CommonKnowledge } from './common-knowledge.js';
import type { ListeningSocket } from './listening-socket.js';
import { type Answers, heartbeatInterval, type Question } from './messages.js';
import { judge, type Machine, workerCount } from './watch.js';
import { type WorkerNews, WorkerProcess } from './worker-process.js';

const restart: Backoff = { base: 100, max: 10_000 };
/** A worker that served this long (ms) did not fail to start: the back-off begins anew. */
const settledAfter = 30_000;
/** Memory of a younger worker (ms) is not judged: a limit below what any worker needs must not become a loop of starts. */
const matureAfter = 10_000;
/** From the start of a process to its first player, in ms. */
const startDeadline = 30_000;
/** Milliseconds that the API waits for a worker. */
const askDeadline = 2_000;

/** A place for one worker: the process in it changes, its part of the channels does not. */
interface Slot {
  readonly index: number;
  current: WorkerProcess | undefined;
  /** Starts in a row that did not settle. */
  attempts: number;
  startedAt: number;
  /** What happens in a slot happens one after the other. */
  queue: Promise<void>;
}

export interface SupervisorOptions {
  readonly config: DataPlaneConfig;
  /** The supervisor closes it in the end. */
  readonly socket: ListeningSocket;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly machine: Machine;
  /** In `Via`. */
  readonly edgeName: string;
  /** Where the workers' Unix sockets are made. */
  readonly socketFolder: string;
  /** The whole picture, for a worker that starts or saw a gap. */
  readonly full: () => Update;
  /** What the edge listens on beside the players' socket. */
  readonly ownListeners: () => readonly OwnListener[];
}

export class Supervisor {
  #config: DataPlaneConfig;
  #socket: ListeningSocket;
  /** More than one while workers are replaced by such that listen elsewhere. */
  readonly #sockets = new Set<ListeningSocket>();
  readonly #options: SupervisorOptions;
  readonly #logger: Logger;
  readonly #slots: Slot[] = [];
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #common: CommonKnowledge;
  readonly #stop = new AbortController();
  #heartbeats: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#socket = options.socket;
    this.#sockets.add(options.socket);
    this.#logger = options.logger;
    const workers = { serving: () => this.#serving(), all: () => this.#workers.values() };
    this.#common = new CommonKnowledge(workers, options.socketFolder, options.metrics);
  }

  /** Resolves when all workers accept players; rejects when one cannot, with none left behind. */
  async start(): Promise<void> {
    this.#heartbeats = setInterval(() => this.#watch(), heartbeatInterval);
    try {
      await Promise.all(this.#addSlots().map((slot) => this.#launch(slot)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  publish(update: Update): void {
    for (const worker of this.#workers.values()) worker.sendIfKeepingUp({ kind: 'update', update });
  }

  /** Resolves when every worker that serves has heard all that was published. */
  async heard(): Promise<void> {
    await Promise.all(this.#serving().map((worker) => worker.ask({ about: 'ping' }, startDeadline).catch(() => {})));
  }

  /** The workers that serve, by the index of their slot. */
  #serving(): WorkerProcess[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  /** Asks the worker that owns the channel. Throws not_ready while none serves. */
  askOwner<Q extends Question>(channel: ChannelName, question: Q): Promise<Answers[Q['about']]> {
    const worker = this.#common.ownerOf(channel);
    if (worker === undefined) throw new WeirError('not_ready', { detail: 'No worker serves now.' });
    return worker.ask(question, askDeadline);
  }

  /** What all workers that serve answer in time. */
  async askAll<Q extends Question>(question: Q): Promise<Answers[Q['about']][]> {
    const asked = this.#serving().map((worker) => worker.ask(question, askDeadline).catch(() => undefined));
    return (await Promise.all(asked)).filter((answer) => answer !== undefined);
  }

  /** Settings that can change in place, the number of workers among them. */
  async configure(config: DataPlaneConfig): Promise<void> {
    this.#config = config;
    for (const worker of this.#workers.values()) worker.send({ kind: 'configure', config });
    await this.#scale();
  }

  /**
   * New workers with these settings, which accept from this socket. Rejects, with the old ones and their settings in
   * place, when the first one fails.
   */
  async replaceAll(config: DataPlaneConfig, socket = this.#socket): Promise<void> {
    const before = { config: this.#config, socket: this.#socket };
    this.#config = config;
    this.#socket = socket;
    this.#sockets.add(socket);
    for (const [index, slot] of this.#slots.entries()) {
      await this.#roomToDrain();
      try {
        await this.#inTurn(slot, () => this.#replace(slot, 'reload'));
      } catch (error) {
        if (index === 0) {
          this.#config = before.config;
          this.#socket = before.socket;
          this.#closeSockets(before.socket);
        }
        throw error;
      }
    }
    this.#closeSockets(socket);
    await this.#scale();
  }

  /** All players finish for the grace; then all workers are gone. */
  async drain(): Promise<void> {
    this.#stop.abort();
    const { grace } = this.#config.shutdown;
    for (const worker of this.#workers.values()) this.#end(worker, 'shutdown', () => worker.drain('shutdown', grace));
    // Without its own copy the port is closed as soon as the workers have stopped to accept.
    this.#closeSockets(undefined);
    await this.#gone();
  }

  /** Ends every worker at once. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const worker of this.#workers.values()) this.#end(worker, 'shutdown', () => worker.kill());
    await this.#gone();
  }

  /** All processes as one, in Prometheus' text format. */
  metrics(): Promise<{ type: string; text: string }> {
    return this.#common.metrics();
  }

  async #gone(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.silent));
    await Promise.all(this.#slots.map((slot) => slot.queue));
    clearInterval(this.#heartbeats);
    this.#common.close();
    this.#closeSockets(undefined);
  }

  #closeSockets(except: ListeningSocket | undefined): void {
    for (const socket of this.#sockets) {
      if (socket === except) continue;
      socket.close();
      this.#sockets.delete(socket);
    }
  }

  #addSlots(): Slot[] {
    const wanted = Math.max(1, workerCount(this.#config.workers, this.#options.machine));
    const added: Slot[] = [];
    while (this.#slots.length < wanted) {
      const index = this.#slots.length;
      const slot = { index, current: undefined, attempts: 0, startedAt: 0, queue: Promise.resolve() };
      this.#slots.push(slot);
      added.push(slot);
    }
    return added;
  }

  async #scale(): Promise<void> {
    const wanted = Math.max(1, workerCount(this.#config.workers, this.#options.machine));
    const removed = this.#slots.splice(wanted);
    await Promise.all(this.#addSlots().map((slot) => this.#inTurn(slot, () => this.#replace(slot, 'reload'))));
    for (const slot of removed) {
      const { current } = slot;
      slot.current = undefined;
      if (current !== undefined) this.#handOver(current, 'reload');
    }
    if (removed.length > 0) this.#membersChanged();
  }

  /** Starts a process; resolves when it accepts players, and never leaves one behind that does not. */
  async #launch(slot: Slot): Promise<void> {
    const worker = new WorkerProcess(
      slot.index,
      this.#socket,
      () => {
        const { self, members, sessions } = this.#common.forNewcomer(worker);
        return {
          kind: 'start',
          config: this.#config,
          identity: { edge: this.#options.edgeName, self },
          update: this.#options.full(),
          own: [...this.#options.ownListeners(), ...[...this.#sockets].map(({ address }) => address)],
          members,
          sessions,
        };
      },
      (news) => this.#hear(worker, news),
    );
    this.#workers.set(worker.id, worker);
    slot.startedAt = performance.now();
    worker.exited.then((how) => this.#exited(worker, slot, how));
    const late = setTimeout(() => this.#end(worker, 'late', () => worker.kill()), startDeadline);
    try {
      await worker.listening;
      slot.current = worker;
      this.#membersChanged();
      this.#logger.info({ worker: slot.index, pid: worker.pid }, 'worker started');
    } catch (error) {
      await worker.exited;
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** The new one accepts players before the old one stops to. */
  async #replace(slot: Slot, cause: string): Promise<void> {
    if (this.#stop.signal.aborted || !this.#slots.includes(slot)) return;
    const before = slot.current;
    await this.#launch(slot);
    if (before !== undefined) this.#handOver(before, cause);
  }

  #handOver(worker: WorkerProcess, cause: string): void {
    this.#end(worker, cause, () => worker.drain('handover', this.#config.shutdown.grace));
  }

  #end(worker: WorkerProcess, cause: string, how: () => void): void {
    worker.cause ??= cause;
    how();
  }

  /** Old workers that still drain are bounded by the number of workers. */
  async #roomToDrain(): Promise<void> {
    for (;;) {
      const draining = [...this.#workers.values()].filter(({ state }) => state === 'draining');
      if (draining.length < this.#slots.length || this.#stop.signal.aborted) return;
      await Promise.race(draining.map((worker) => worker.exited));
    }
  }

  #inTurn(slot: Slot, work: () => Promise<void>): Promise<void> {
    const done = slot.queue.then(work);
    slot.queue = done.catch(() => undefined);
    return done;
  }

  #exited(worker: WorkerProcess, slot: Slot, how: string): void {
    this.#common.forget(worker);
    const cause = worker.cause ?? 'crash';
    this.#options.metrics.workerExits.inc({ cause });
    const level = worker.cause === undefined ? 'error' : 'info';
    this.#logger[level]({ worker: slot.index, pid: worker.pid, how, cause }, 'worker ended');
    worker.silent.then(async () => {
      await this.#common.retire(worker);
      this.#workers.delete(worker.id);
    });
    if (slot.current !== worker) return;
    slot.current = undefined;
    this.#membersChanged();
    if (!this.#stop.signal.aborted) void this.#inTurn(slot, () => this.#revive(slot));
  }

  async #revive(slot: Slot): Promise<void> {
    const { signal } = this.#stop;
    while (slot.current === undefined && this.#slots.includes(slot) && !signal.aborted) {
      if (performance.now() - slot.startedAt > settledAfter) slot.attempts = 0;
      // The first time at once: players of this worker are looking for another one.
      const delay = slot.attempts === 0 ? 0 : backoffDelay(slot.attempts - 1, restart, Math.random);
      slot.attempts += 1;
      await sleep(delay, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#launch(slot).catch((error: Error) => {
        this.#logger.error({ worker: slot.index, error: error.message }, 'worker cannot start');
      });
    }
  }

  #hear(worker: WorkerProcess, news: WorkerNews): void {
    switch (news.kind) {
      case 'heartbeat':
        worker.residentBytes = news.residentBytes;
        worker.utilization = news.utilization;
        break;
      case 'gap':
        worker.send({ kind: 'update', update: this.#options.full() });
        break;
      default:
        this.#common.hear(worker, news, this.#config.hls, this.#socket);
    }
  }

  #renew(worker: WorkerProcess, cause: string): void {
    const slot = this.#slots.find(({ current }) => current === worker);
    if (slot === undefined || worker.cause !== undefined) return;
    worker.cause = cause;
    this.#inTurn(slot, async () => {
      if (slot.current === worker) await this.#replace(slot, cause);
    }).catch((error: unknown) => {
      worker.cause = undefined;
      this.#logger.error({ worker: slot.index, error: toWeirError(error).message }, 'worker could not be replaced');
    });
  }

  #membersChanged(): void {
    this.#common.tellMembers();
    this.#common.shareConnections(this.#socket);
  }

  #watch(): void {
    const { stuckAfter, memoryLimit } = this.#config.cluster;
    const settings = { stuckAfter: Math.max(stuckAfter, 2 * heartbeatInterval), memoryLimit };
    for (const worker of this.#workers.values()) {
      if (worker.state !== 'serving' && worker.state !== 'draining') continue;
      const silentFor = worker.tick() * heartbeatInterval;
      const seen = { silentFor, residentBytes: worker.residentBytes };
      const verdict = judge(seen, this.#slots.length, settings, this.#options.machine);
      if (verdict === 'stuck') {
        this.#logger.error({ worker: worker.slot, pid: worker.pid, silentFor }, 'worker is stuck: killing it');
        worker.cause = 'stuck';
        worker.kill();
      } else if (verdict === 'memory' && worker.cause === undefined && worker.age > matureAfter) {
        const { slot, pid, residentBytes } = worker;
        this.#logger.error({ worker: slot, pid, residentBytes }, 'worker uses too much memory: replacing it');
        this.#renew(worker, 'memory');
      }
    }
    this.#common.shareConnections(this.#socket);
  }
}
