// Which workers watch the plans of which channels: their questions go to where the plans are, and the answers back to them.

import type { EdgeIdentity, PlanNews, WorkerIdentity } from '../data-plane/contract.js';
import type { ChannelName } from '../model.js';
import type { News } from './news.js';
import type { Start } from './worker-parts.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

/** Where the plans are, as far as it is needed. */
export interface PlanShelf {
  /** @returns ends it; undefined when too many are watched */
  watch(channel: string, heard: (news: PlanNews) => void): (() => void) | undefined;
  write(channel: string, version: number, text: string): void;
}

export interface PlanOptions {
  readonly identity: EdgeIdentity;
  /** Where the plans of channels are; undefined: this edge numbers HLS by itself. */
  readonly plans?: PlanShelf | undefined;
}

type Worker = Pick<WorkerProcess, 'id' | 'send'>;

interface Watch {
  last: PlanNews | undefined;
  end: (() => void) | undefined;
}

const nothing: PlanNews = { available: false, version: -1, text: undefined };

/** What each worker watches, until it is gone, and what all of them sign with. */
export class PlanLedger<W extends Worker = WorkerProcess> {
  readonly #workers: Pick<Workers<W>, 'all'>;
  readonly #shelf: PlanShelf | undefined;
  #identity: EdgeIdentity;
  readonly #byWorker = new Map<number, Map<ChannelName, Watch>>();

  constructor(workers: Pick<Workers<W>, 'all'>, news: Pick<News<W>, 'on'>, { identity, plans: shelf }: PlanOptions) {
    this.#workers = workers;
    this.#identity = identity;
    this.#shelf = shelf;
    news.on('plan', (worker, { channel, ask }) => {
      if (ask === 'watch') this.#watch(worker, channel);
      else if (ask === 'unwatch') this.#unwatch(worker, channel);
      else shelf?.write(channel, ask.version, ask.text);
    });
  }

  /** What a worker begins with. */
  forNewcomer(self: WorkerIdentity['self']): Pick<Start, 'identity' | 'plans'> {
    return { identity: { ...this.#identity, self }, plans: this.#shelf !== undefined };
  }

  /** The secret that all edges of the fleet sign with. */
  signWith(secret: string): void {
    this.#identity = { ...this.#identity, machineSecret: secret };
    for (const worker of this.#workers.all()) worker.send({ kind: 'sign-with', secret });
  }

  /** It is gone. */
  forget({ id }: W): void {
    for (const { end } of this.#byWorker.get(id)?.values() ?? []) end?.();
    this.#byWorker.delete(id);
  }

  /** Tells one worker what it may have missed. */
  resend(worker: W): void {
    worker.send({ kind: 'sign-with', secret: this.#identity.machineSecret });
    for (const [channel, { last }] of this.#byWorker.get(worker.id) ?? []) {
      if (last !== undefined) worker.send({ kind: 'plan', channel, news: last });
    }
  }

  #watch(worker: W, channel: ChannelName): void {
    const watches = this.#byWorker.get(worker.id) ?? new Map<ChannelName, Watch>();
    this.#byWorker.set(worker.id, watches);
    if (watches.has(channel)) return;
    const watch: Watch = { last: undefined, end: undefined };
    watches.set(channel, watch);
    const heard = (news: PlanNews) => {
      watch.last = news;
      worker.send({ kind: 'plan', channel, news });
    };
    watch.end = this.#shelf?.watch(channel, heard);
    if (watch.end === undefined) heard(nothing);
  }

  #unwatch({ id }: W, channel: ChannelName): void {
    this.#byWorker.get(id)?.get(channel)?.end?.();
    this.#byWorker.get(id)?.delete(channel);
  }
}
