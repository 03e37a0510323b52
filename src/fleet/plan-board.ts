// The plans of channels as this edge reads and writes them in ZooKeeper. It knows nothing of what they say: it hands on what a
// node holds, and writes by compare-and-set. Nothing here is on the path of a request: who asks is told later, or that nothing
// can be read or written now.

import { FleetError, type FleetSession } from './session.js';

/** What is known of a node. */
export interface BoardNews {
  /** False: nothing can be read or written now. */
  readonly available: boolean;
  /** -1: there is no such node. */
  readonly version: number;
  readonly text: string | undefined;
}

export type Heard = (news: BoardNews) => void;

export interface PlanBoardOptions {
  readonly session: Pick<FleetSession, 'get' | 'create' | 'set' | 'watch' | 'subscribe'>;
  /** The node below which the plans are. */
  readonly folder: string;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Told of each write: what came of it. */
  readonly wrote: (result: 'done' | 'lost' | 'failed') => void;
}

/** Channels that an edge watches at once; of further ones it goes on by itself. */
export const maxWatched = 8_000;
/** Calls under way. */
const maxCalls = 64;
/** Writes that wait; further ones are refused. */
const maxWaiting = 1_000;
/** Writes to one plan at once, and ms until one more is allowed: an origin may have a discontinuity in each segment. */
const burst = 40;
const writeEveryMs = 1_500;

/** ms until a node is read again that could not be read. */
const retryMs = 5_000;

interface Watched {
  readonly channel: string;
  readonly path: string;
  readonly listeners: Set<Heard>;
  readonly unwatch: () => void;
  news: BoardNews | undefined;
  created: number;
  isReading: boolean;
  readAgain: boolean;
  isRetrying: boolean;
  /** Writes that may be made now, as of `countedAt`. */
  allowed: number;
  countedAt: number;
}

/** It watches until `close`. */
export class PlanBoard {
  readonly #options: PlanBoardOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #calls = 0;
  #isConnected = false;
  #unsubscribe: (() => void) | undefined;

  constructor(options: PlanBoardOptions) {
    this.#options = options;
  }

  /** From now on plans are read and written. Before, nothing is said of any. */
  open(): void {
    this.#unsubscribe ??= this.#options.session.subscribe(({ kind }) => this.#connected(kind === 'connected'));
  }

  /** Channels that are watched now. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * Tells what is known of the plan of that channel, now and whenever it changes.
   *
   * @returns ends it; undefined when too many are watched
   */
  watch(channel: string, heard: Heard): (() => void) | undefined {
    const watched = this.#watched.get(channel) ?? this.#open(channel);
    if (watched === undefined) return undefined;
    watched.listeners.add(heard);
    // Without a connection nothing is said: one may be there in a moment.
    if (this.#isConnected && watched.news !== undefined) heard(watched.news);
    return () => {
      watched.listeners.delete(heard);
      if (watched.listeners.size > 0 || this.#watched.get(channel) !== watched) return;
      watched.unwatch();
      this.#watched.delete(channel);
    };
  }

  #open(channel: string): Watched | undefined {
    if (this.#watched.size >= maxWatched) return undefined;
    const path = `${this.#options.folder}/${nodeName(channel)}`;
    try {
      const unwatch = this.#options.session.watch(path, 'data', () => {
        const known = this.#watched.get(channel);
        if (known !== undefined && this.#isConnected) this.#read(known);
      });
      const watched: Watched = {
        channel,
        path,
        listeners: new Set(),
        unwatch,
        news: undefined,
        created: 0,
        isReading: false,
        readAgain: false,
        isRetrying: false,
        allowed: burst,
        countedAt: this.#options.now(),
      };
      this.#watched.set(channel, watched);
      if (this.#isConnected) this.#read(watched);
      return watched;
    } catch (error) {
      if (error instanceof FleetError) return undefined;
      throw error;
    }
  }

  /** Writes the plan if it has that version; -1: if there is none. Whoever watches it hears what came of it. */
  write(channel: string, version: number, text: string): void {
    const watched = this.#watched.get(channel);
    if (watched === undefined) return;
    if (!this.#isConnected || this.#waiting.length >= maxWaiting || !this.#mayWrite(watched)) {
      this.#options.wrote('failed');
      this.#unavailable(watched);
      return;
    }
    this.#call(() => this.#write(watched, version, text));
  }

  /** A bucket of writes for each plan. */
  #mayWrite(watched: Watched): boolean {
    const now = this.#options.now();
    watched.allowed = Math.min(burst, watched.allowed + (now - watched.countedAt) / writeEveryMs);
    watched.countedAt = now;
    if (watched.allowed < 1) return false;
    watched.allowed -= 1;
    return true;
  }

  close(): void {
    this.#unsubscribe?.();
    for (const { unwatch } of this.#watched.values()) unwatch();
    this.#watched.clear();
    this.#waiting.length = 0;
  }

  #connected(isConnected: boolean): void {
    const wasConnected = this.#isConnected;
    this.#isConnected = isConnected;
    if (isConnected) {
      for (const watched of this.#watched.values()) this.#read(watched);
      return;
    }
    if (!wasConnected) return;
    for (const watched of this.#watched.values()) tell(watched, { available: false, version: -1, text: undefined });
  }

  /** One call after the other for each plan, some at once in all. */
  #call(run: () => Promise<void>): void {
    this.#waiting.push(run);
    this.#next();
  }

  #next(): void {
    while (this.#calls < maxCalls) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      this.#calls += 1;
      void run().finally(() => {
        this.#calls -= 1;
        this.#next();
      });
    }
  }

  #read(watched: Watched): void {
    watched.readAgain = watched.isReading;
    if (watched.isReading) return;
    watched.isReading = true;
    this.#call(async () => {
      await this.#readNow(watched);
      watched.isReading = false;
      if (watched.readAgain) this.#read(watched);
    });
  }

  async #readNow(watched: Watched): Promise<void> {
    try {
      const node = await this.#options.session.get(watched.path);
      const created = node === undefined ? watched.created : Number(node.czxid);
      const known = watched.news;
      // A server that lags behind may answer with what was there before.
      const isOld =
        node !== undefined &&
        known !== undefined &&
        (created < watched.created || (created === watched.created && node.version < known.version));
      if (!isOld) {
        watched.created = created;
        watched.news =
          node === undefined
            ? { available: true, version: -1, text: undefined }
            : { available: true, version: node.version, text: node.data };
      }
      if (this.#isConnected && watched.news !== undefined) tell(watched, watched.news);
    } catch {
      this.#unavailable(watched);
    }
  }

  /** For a moment: it is read again. After a new connection it is read anyway. */
  #unavailable(watched: Watched): void {
    tell(watched, { available: false, version: -1, text: undefined });
    if (watched.isRetrying || !this.#isConnected) return;
    watched.isRetrying = true;
    setTimeout(() => {
      watched.isRetrying = false;
      if (this.#watched.get(watched.channel) === watched) this.#read(watched);
    }, retryMs).unref();
  }

  async #write(watched: Watched, version: number, text: string): Promise<void> {
    const { session, wrote } = this.#options;
    const { path } = watched;
    try {
      if (version === -1) await session.create(path, text, 'persistent');
      else await session.set(path, text, version);
      wrote('done');
    } catch (error) {
      const isLost =
        error instanceof FleetError &&
        (error.kind === 'conflict' || error.kind === 'exists' || error.kind === 'missing');
      wrote(isLost ? 'lost' : 'failed');
      if (!isLost) return this.#unavailable(watched);
    }
    await this.#readNow(watched);
  }
}

function tell({ listeners }: Watched, news: BoardNews): void {
  for (const heard of [...listeners]) heard(news);
}

/** A channel's name as the name of a node: it may contain slashes, and be a dot. */
export function nodeName(channel: string): string {
  return encodeURIComponent(channel).replaceAll('.', '%2E');
}
