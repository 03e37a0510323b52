// Keeps the workers running: one a slot, replaced one after the other when settings change, watched, and ended. It has no
// player's connection, and knows nothing of what the workers serve.

import type { DataPlaneConfig, EdgeIdentity, OwnListener } from '../data-plane/contract.js';
import { WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName, Update } from '../model.js';
import { CommonKnowledge } from './common-knowledge.js';
import type { ListeningSocket } from './listening-socket.js';
import type { Machine } from './machine.js';
import { type Answers, heartbeatInterval, type Question } from './messages.js';
import { pause, Slot, type SlotTools, wordsOf } from './slot.js';
import { workerCount } from './watch.js';
import { Watchdog } from './watchdog.js';
import { type Deployment, type Spawn, type WorkerNews, WorkerProcess } from './worker-process.js';

/** Milliseconds that the API waits for a worker. */
const askDeadline = 2_000;
/** Milliseconds that a worker may take to hear what was published before. */
const hearDeadline = 30_000;

export interface SupervisorOptions {
  readonly config: DataPlaneConfig;
  /** The supervisor closes it in the end. */
  readonly socket: ListeningSocket;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly machine: Machine;
  readonly identity: EdgeIdentity;
  /** Where the workers' Unix sockets are made. */
  readonly socketFolder: string;
  /** The whole picture, for a worker that starts or saw a gap. */
  readonly full: () => Update;
  /** What the edge listens on beside the players' socket. */
  readonly ownListeners: () => readonly OwnListener[];
  /** How a process is started; default: a fork of the worker. */
  readonly spawn?: Spawn;
  /** Resolves after so many ms, or when the signal aborts. */
  readonly pause?: SlotTools['pause'];
}

export class Supervisor {
  #deployment: Deployment;
  /** Two while workers are replaced by some that listen elsewhere. */
  readonly #sockets = new Set<ListeningSocket>();
  readonly #options: SupervisorOptions;
  readonly #logger: Logger;
  readonly #slots: Slot[] = [];
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #common: CommonKnowledge;
  readonly #watchdog: Watchdog;
  #over = false;
  /** While workers have different settings because they are being replaced. */
  #replacing = false;
  #heartbeats: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#deployment = { config: options.config, socket: options.socket };
    this.#sockets.add(options.socket);
    this.#logger = options.logger;
    this.#watchdog = new Watchdog(options.logger, () => performance.now(), Math.random);
    const workers = { serving: () => this.#serving(), all: () => this.#workers.values() };
    this.#common = new CommonKnowledge(workers, options.socketFolder, options.metrics);
  }

  /** Whether at least one worker accepts players. */
  get accepting(): boolean {
    return this.#serving().some(({ state }) => state === 'serving');
  }

  /** Resolves when all workers accept players; rejects when one cannot, with none left behind. */
  async start(): Promise<void> {
    this.#heartbeats = setInterval(() => this.#watch(), heartbeatInterval);
    try {
      await Promise.all(this.#addSlots().map((slot) => slot.start()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  publish(update: Update): void {
    for (const worker of this.#workers.values()) worker.send({ kind: 'update', update });
  }

  /** Resolves when every worker that serves has heard all that was published. */
  async heard(): Promise<void> {
    await Promise.all(this.#serving().map((worker) => worker.ask({ about: 'ping' }, hearDeadline).catch(() => {})));
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
    const before = this.#deployment;
    this.#deployment = { ...before, config };
    for (const worker of this.#workers.values()) {
      // One that runs with something else is still to be replaced.
      worker.deployment = worker.deployment === before ? this.#deployment : { ...worker.deployment, config };
      worker.send({ kind: 'configure', config });
    }
    await this.#scale();
  }

  /**
   * New workers with these settings, which accept from this socket. When one of them cannot start, those that were
   * replaced already are replaced again, by workers with the settings of before, and this rejects.
   */
  async replaceAll(config: DataPlaneConfig, socket = this.#deployment.socket): Promise<void> {
    const before = this.#deployment;
    this.#deployment = { config, socket };
    this.#sockets.add(socket);
    this.#replacing = true;
    try {
      await this.#replaceOthers('reload');
    } catch (error) {
      this.#deployment = before;
      await this.#replaceOthers('rollback').catch((again: unknown) => {
        this.#logger.error({ error: wordsOf(again) }, 'some workers keep the new settings until they can be replaced');
      });
      throw error;
    } finally {
      this.#replacing = false;
      this.#closeSockets(this.#deployment.socket);
    }
    await this.#scale();
  }

  /** All players finish for the grace; then all workers are gone. */
  async drain(): Promise<void> {
    this.#end();
    for (const worker of this.#workers.values()) worker.drain('shutdown');
    // Without its own copy the port is closed as soon as the workers have stopped to accept.
    this.#closeSockets(undefined);
    await this.#gone();
  }

  /** Ends every worker at once. */
  async close(): Promise<void> {
    this.#end();
    for (const worker of this.#workers.values()) worker.kill('shutdown');
    await this.#gone();
  }

  /** All processes as one, in Prometheus' text format. */
  metrics(): Promise<{ type: string; text: string }> {
    return this.#common.metrics();
  }

  #end(): void {
    this.#over = true;
    for (const slot of this.#slots) slot.close();
  }

  async #gone(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.silent));
    await Promise.all(this.#slots.map((slot) => slot.idle));
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

  /** The workers that serve, in the order of their slots. */
  #serving(): WorkerProcess[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  #addSlots(): Slot[] {
    const tools: SlotTools = {
      spawn: (slot) => this.#spawn(slot),
      changed: () => this.#membersChanged(),
      logger: this.#logger,
      now: () => performance.now(),
      random: Math.random,
      pause: this.#options.pause ?? pause,
    };
    const added: Slot[] = [];
    while (this.#slots.length < this.#wanted()) {
      const slot = new Slot(this.#slots.length, tools);
      this.#slots.push(slot);
      added.push(slot);
    }
    return added;
  }

  #wanted(): number {
    return Math.max(1, workerCount(this.#deployment.config.workers, this.#options.machine));
  }

  /** One that cannot start now is tried again like one that crashed. */
  async #scale(): Promise<void> {
    if (this.#over) return;
    const removed = this.#slots.splice(this.#wanted());
    for (const slot of removed) slot.retire('reload');
    if (removed.length > 0) this.#membersChanged();
    const adding = this.#addSlots().map((slot) =>
      slot.replace('reload').catch((error: unknown) => {
        this.#logger.error({ worker: slot.index, error: wordsOf(error) }, 'worker cannot start');
      }),
    );
    await Promise.all(adding);
  }

  #spawn(slot: number): WorkerProcess {
    const handlers = {
      start: (worker: WorkerProcess) => {
        const { self, members, sessions } = this.#common.forNewcomer(worker);
        worker.deployment = this.#deployment;
        const { config } = this.#deployment;
        const identity = { ...this.#options.identity, self };
        const own = [...this.#options.ownListeners(), ...[...this.#sockets].map(({ address }) => address)];
        return { kind: 'start', config, identity, update: this.#options.full(), own, members, sessions } as const;
      },
      news: (worker: WorkerProcess, news: WorkerNews) => this.#hear(worker, news),
      exited: (worker: WorkerProcess, how: string) => this.#exited(worker, how),
      caughtUp: (worker: WorkerProcess) => this.#tellAll(worker),
    };
    const worker = new WorkerProcess(slot, this.#deployment, handlers, this.#options.spawn);
    this.#workers.set(worker.id, worker);
    return worker;
  }

  /** Those that run with anything but what all are to run with, one after the other. Rejects with the first failure. */
  async #replaceOthers(cause: 'reload' | 'rollback'): Promise<void> {
    for (const slot of [...this.#slots]) {
      if (slot.current?.deployment === this.#deployment) continue;
      await this.#roomToDrain();
      await slot.replace(cause);
    }
  }

  /** Old workers that still drain are bounded by the number of workers. */
  async #roomToDrain(): Promise<void> {
    for (;;) {
      const draining = [...this.#workers.values()].filter(({ state }) => state === 'draining');
      if (draining.length < this.#slots.length || this.#over) return;
      await Promise.race(draining.map((worker) => worker.exited));
    }
  }

  #exited(worker: WorkerProcess, how: string): void {
    const { slot, pid, cause } = worker;
    this.#common.forget(worker);
    this.#options.metrics.workerExits.inc({ cause });
    // Whoever wanted one that could not start says so.
    const isExpected = worker.isEnding || cause === 'spawn' || cause === 'failed';
    this.#logger[isExpected ? 'info' : 'error']({ worker: slot, pid, how, cause }, 'worker ended');
    void this.#bury(worker);
    this.#slots.find(({ current }) => current === worker)?.lost(worker);
  }

  async #bury(worker: WorkerProcess): Promise<void> {
    await worker.silent;
    await this.#common.retire(worker).catch((err: unknown) => {
      this.#logger.error({ err, worker: worker.slot }, 'what a worker left behind could not be put in order');
    });
    this.#workers.delete(worker.id);
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
        this.#common.hear(worker, news, this.#deployment.config.hls);
    }
  }

  /** Everything that a worker was ever told, as it is now. */
  #tellAll(worker: WorkerProcess): void {
    worker.send({ kind: 'configure', config: worker.deployment.config });
    worker.send({ kind: 'update', update: this.#options.full() });
    this.#common.tellAgain(worker);
  }

  #membersChanged(): void {
    this.#common.tellMembers();
    this.#common.shareConnections();
  }

  #watch(): void {
    const { stuckAfter, memoryLimit } = this.#deployment.config.cluster;
    this.#watchdog.look({
      // Whoever is about to be replaced or ended need not be replaced for another reason.
      slots: this.#over || this.#replacing ? [] : this.#slots,
      workers: this.#workers.values(),
      settings: { stuckAfter, memoryLimit: memoryLimit === 'auto' ? Number.POSITIVE_INFINITY : memoryLimit },
      isOutdated: ({ deployment }) => deployment !== this.#deployment,
    });
    this.#common.shareConnections();
  }
}
