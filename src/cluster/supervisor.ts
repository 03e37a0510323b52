// Keeps the workers running, one in each slot: starts them, watches them, replaces them one after the other when settings
// change, and ends them. It has no player's connection, and knows nothing of what the workers serve.

import type { DataPlaneConfig, OwnListener } from '../data-plane/contract.js';
import { WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName } from '../model.js';
import type { RegistrySnapshot } from '../snapshot/update.js';
import { ConnectionShares } from './connection-shares.js';
import { EdgeMetrics } from './edge-metrics.js';
import { FleetLedger } from './fleet-ledger.js';
import { InFlightLedger } from './in-flight.js';
import type { ListeningSocket } from './listening-socket.js';
import type { Machine } from './machine.js';
import { Membership } from './membership.js';
import { type Answers, askDeadlineMs, type Question, workerHeartbeatMs } from './messages.js';
import { News } from './news.js';
import { PlanLedger, type PlanOptions } from './plan-ledger.js';
import { Processes } from './processes.js';
import { SessionLedger } from './session-ledger.js';
import { type SlotTools, wordsOf } from './slot.js';
import { Slots } from './slots.js';
import { workerCount } from './watch.js';
import { Watchdog } from './watchdog.js';
import type { Child, Deployment, Start } from './worker-parts.js';
import { WorkerProcess } from './worker-process.js';

export interface SupervisorOptions extends Pick<SlotTools, 'now' | 'random' | 'pause'>, PlanOptions {
  readonly config: DataPlaneConfig;
  /** The supervisor closes it in the end. */
  readonly socket: ListeningSocket;
  /** The same for other edges, where they are let in. */
  readonly edgeSocket?: ListeningSocket | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly machine: Machine;
  /** Where the workers' Unix sockets are made. */
  readonly socketFolder: string;
  /** What is published now. */
  readonly snapshot: () => RegistrySnapshot;
  /** What the edge listens on beside the players' socket. */
  readonly ownListeners: () => readonly OwnListener[];
  /** Starts a process. Throws, or the process tells an `error`, when the system has nothing left for it. */
  readonly fork: () => Child;
}

/** The workers of the edge. It serves after `start`, and holds processes and sockets until it has drained or closed. */
export class Supervisor {
  #deployment: Deployment;
  /** Two while a reload moves the listener to another address. */
  readonly #sockets = new Set<ListeningSocket>();
  readonly #options: SupervisorOptions;
  readonly #logger: Logger;
  readonly #slots: Slots;
  /** What the fleet and the workers say to each other; `plans`: of HLS. */
  readonly fleet: FleetLedger;
  readonly plans: PlanLedger;
  readonly #processes = new Processes();
  readonly #news = new News<WorkerProcess>();
  readonly #membership: Membership;
  readonly #inFlight: InFlightLedger;
  readonly #shares: ConnectionShares;
  readonly #metrics: EdgeMetrics;
  readonly #watchdog: Watchdog;
  #over = false;
  /** While workers have different settings because they are being replaced. */
  #replacing = false;
  #heartbeats: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    const { config, socket, edgeSocket, logger, now, random, pause } = options;
    this.#options = options;
    this.#deployment = { config, socket, edgeSocket };
    this.#sockets.add(socket);
    this.#logger = logger;
    this.#watchdog = new Watchdog(logger, now, random);
    this.#slots = new Slots({
      spawn: (slot) => this.#spawn(slot),
      changed: () => {
        this.#membership.publish();
        this.#shares.share();
      },
      logger,
      now,
      random,
      pause,
    });
    const workers = { serving: () => this.#slots.serving, all: () => this.#processes };
    const sessions = new SessionLedger(this.#news, () => this.#deployment.config.hls, now);
    this.#membership = new Membership(workers, sessions, options.socketFolder);
    this.fleet = new FleetLedger(workers);
    this.#inFlight = new InFlightLedger(workers, this.#news);
    this.plans = new PlanLedger(workers, this.#news, options);
    this.#shares = new ConnectionShares(workers, this.#news);
    this.#metrics = new EdgeMetrics(workers, this.#news, options.metrics);
  }

  /** Whether at least one worker accepts players. */
  get accepting(): boolean {
    return this.#slots.serving.some(({ state }) => state === 'serving');
  }

  /** Resolves when all workers accept players; rejects when one cannot, with none left behind. */
  async start(): Promise<void> {
    this.#heartbeats = setInterval(() => this.#watch(), workerHeartbeatMs);
    try {
      await this.#slots.start(this.#wanted);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Does it for every worker, for those that start or drain too. */
  each(work: (worker: WorkerProcess) => void): void {
    for (const worker of this.#processes) work(worker);
  }

  /** Resolves when every worker that serves has heard all that was published. */
  async delivered(): Promise<void> {
    await Promise.all(this.#slots.serving.map((worker) => worker.heard()));
  }

  /**
   * Asks the worker that owns the channel.
   *
   * @throws WeirError not_ready while none serves
   */
  askOwner<Q extends Question>(channel: ChannelName, question: Q): Promise<Answers[Q['about']]> {
    const worker = this.#membership.ownerOf(channel);
    if (worker === undefined) throw new WeirError('not_ready', { detail: 'No worker serves now.' });
    return worker.ask(question, askDeadlineMs);
  }

  /** What all workers that serve answer in time. */
  async askAll<Q extends Question>(question: Q): Promise<Answers[Q['about']][]> {
    const asked = this.#slots.serving.map((worker) => worker.ask(question, askDeadlineMs).catch(() => undefined));
    return (await Promise.all(asked)).filter((answer) => answer !== undefined);
  }

  /** Settings that can change in place, the number of workers among them. */
  async configure(config: DataPlaneConfig): Promise<void> {
    const before = this.#deployment;
    this.#deployment = { ...before, config };
    for (const worker of this.#processes) {
      // One that runs with something else is still to be replaced.
      worker.deployment = worker.deployment === before ? this.#deployment : { ...worker.deployment, config };
      worker.send({ kind: 'configure', config });
    }
    await this.#slots.scale(this.#wanted);
  }

  /**
   * New workers with these settings, which accept from this socket. When one of them cannot start, those that were
   * replaced already are replaced again, by workers with the settings of before, and this rejects.
   */
  async replaceAll(config: DataPlaneConfig, socket = this.#deployment.socket): Promise<void> {
    const before = this.#deployment;
    this.#deployment = { ...before, config, socket };
    this.#sockets.add(socket);
    this.#replacing = true;
    try {
      await this.#replaceOutdated('reload');
    } catch (error) {
      this.#deployment = before;
      await this.#replaceOutdated('rollback').catch((again: unknown) => {
        this.#logger.error({ error: wordsOf(again) }, 'some workers keep the new settings until they can be replaced');
      });
      throw error;
    } finally {
      this.#replacing = false;
      this.#closeSockets(this.#deployment.socket);
    }
    await this.#slots.scale(this.#wanted);
  }

  /** All players finish for the grace; then all workers are gone. */
  async drain(): Promise<void> {
    this.#end();
    for (const worker of this.#processes) worker.drain('shutdown');
    // Without its own copy the port is closed as soon as the workers have stopped to accept.
    this.#closeSockets(undefined);
    await this.#gone();
  }

  /** Ends every worker at once. */
  async close(): Promise<void> {
    this.#end();
    for (const worker of this.#processes) worker.kill('shutdown');
    await this.#gone();
  }

  /** All processes as one, in Prometheus' text format. */
  metrics(): Promise<{ type: string; text: string }> {
    return this.#metrics.read();
  }

  get #wanted(): number {
    return Math.max(1, workerCount(this.#deployment.config.workers, this.#options.machine));
  }

  #end(): void {
    this.#over = true;
    this.#slots.close();
  }

  async #gone(): Promise<void> {
    await this.#processes.silent();
    await this.#slots.idle();
    clearInterval(this.#heartbeats);
    this.#inFlight.close();
    this.#closeSockets(undefined);
  }

  #closeSockets(except: ListeningSocket | undefined): void {
    if (except === undefined) this.#deployment.edgeSocket?.close();
    for (const socket of this.#sockets) {
      if (socket === except) continue;
      socket.close();
      this.#sockets.delete(socket);
    }
  }

  #spawn(slot: number): WorkerProcess {
    const { fork, now, snapshot } = this.#options;
    const handlers = {
      start: (worker: WorkerProcess) => this.#startOf(worker),
      news: this.#news.emit.bind(this.#news),
      exited: (worker: WorkerProcess, how: string) => this.#exited(worker, how),
      caughtUp: (worker: WorkerProcess) => this.#resendAll(worker),
    };
    return this.#processes.add((id) => {
      return new WorkerProcess({ id, slot, deployment: this.#deployment, child: fork(), handlers, snapshot, now });
    });
  }

  /** What it begins with, as it is now that the process can take it. */
  #startOf(worker: WorkerProcess): Start {
    const { self, members, sessions } = this.#membership.forNewcomer(worker);
    worker.deployment = this.#deployment;
    const { config } = this.#deployment;
    const inFlight = this.#inFlight.forNewcomer(worker);
    const own = [...this.#options.ownListeners(), ...[...this.#sockets].map(({ address }) => address)];
    const fleet = this.fleet.orders;
    return { kind: 'start', config, own, members, sessions, inFlight, fleet, ...this.plans.forNewcomer(self) };
  }

  /** Everything that a worker was ever told, as it is now. */
  #resendAll(worker: WorkerProcess): void {
    worker.send({ kind: 'configure', config: worker.deployment.config });
    this.#membership.resend(worker);
    this.#inFlight.resend(worker);
    this.fleet.resend(worker);
    this.plans.resend(worker);
  }

  /** Those that run with anything but what all are to run with. */
  #replaceOutdated(cause: 'reload' | 'rollback'): Promise<void> {
    return this.#slots.replace(
      ({ deployment }) => deployment !== this.#deployment,
      cause,
      // Old workers that still drain are bounded by the number of workers.
      () => this.#processes.roomToDrain(this.#slots.all.length, () => this.#over),
    );
  }

  #exited(worker: WorkerProcess, how: string): void {
    const { slot, pid, cause } = worker;
    this.#inFlight.forget(worker);
    this.plans.forget(worker);
    this.#options.metrics.workerExits.inc({ cause });
    // Whoever wanted one that could not start says so.
    const isExpected = worker.isEnding || cause === 'spawn' || cause === 'failed';
    this.#logger[isExpected ? 'info' : 'error']({ worker: slot, pid, how, cause }, 'worker ended');
    void this.#bury(worker);
    this.#slots.lost(worker);
  }

  async #bury(worker: WorkerProcess): Promise<void> {
    await worker.silent;
    await Promise.all([this.#metrics.bury(worker), this.#membership.bury(worker)]).catch((err: unknown) => {
      this.#logger.error({ err, worker: worker.slot }, 'what a worker left behind could not be put in order');
    });
    this.#processes.delete(worker);
  }

  #watch(): void {
    const { cluster } = this.#deployment.config;
    const { memoryLimit } = cluster;
    this.#watchdog.look({
      // Whoever is about to be replaced or ended need not be replaced for another reason.
      slots: this.#over || this.#replacing ? [] : this.#slots.all,
      workers: this.#processes,
      settings: { ...cluster, memoryLimit: memoryLimit === 'auto' ? Number.POSITIVE_INFINITY : memoryLimit },
      isOutdated: ({ deployment }) => deployment !== this.#deployment,
    });
    this.#shares.share();
  }
}
