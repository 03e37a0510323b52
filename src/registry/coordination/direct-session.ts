// A fleet's session over the native client in this process: its life, and what is asked in it.

import type { RegistryLogger } from '../logger.js';
import type { ConnectClient, WatchEvent, ZooKeeperClient } from '../zookeeper-client.js';
import { keepSession, type SessionSettings } from '../zookeeper-session.js';
import { Liveness, questionIntervalMs } from './liveness.js';
import { NodeCalls } from './node-calls.js';
import {
  type CreateMode,
  FleetError,
  type FleetNode,
  type FleetSession,
  type FleetState,
  maxCalls,
  maxDataBytes,
  type WatchKind,
} from './session.js';
import { armWatch, kindsOf } from './watch-arming.js';
import { WatchTable } from './watch-table.js';

/**
 * Keeps one session after the other until `close`. A session that no server confirmed for 2/3 of its timeout is given up, even
 * where it might still be alive.
 */
export class DirectSession implements FleetSession {
  readonly #listeners = new Set<(state: FleetState) => void>();
  readonly #watches: WatchTable;
  readonly #liveness: Liveness;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  /** Ends the present session. */
  #giveUp = new AbortController();
  #calls: NodeCalls | undefined;
  #timeoutMs: number;
  /** The session was told as connected and not as lost. */
  #isTold = false;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Why no session is opened ever again. */
  #hopeless: Error | undefined;

  /** @param now monotonic milliseconds */
  constructor(
    connect: ConnectClient,
    settings: SessionSettings,
    logger: RegistryLogger,
    now = () => performance.now(),
  ) {
    this.#now = now;
    this.#timeoutMs = settings.sessionTimeout;
    this.#liveness = new Liveness(this.#timeoutMs);
    this.#watches = new WatchTable(
      (path, what) => this.#arm(path, what),
      () => {},
    );
    this.#kept = this.#keep(connect, settings, logger);
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Set when no session will ever be there, such as with a malformed list of servers. */
  get hopeless(): Error | undefined {
    return this.#hopeless;
  }

  get(path: string): Promise<FleetNode | undefined> {
    return this.#call(`read ${path}`, (calls) => calls.get(path));
  }

  children(path: string): Promise<readonly string[] | undefined> {
    return this.#call(`list ${path}`, (calls) => calls.children(path));
  }

  create(path: string, data: string, mode: CreateMode): Promise<string> {
    return this.#call(`create ${path}`, (calls) => calls.create(path, data, mode), data);
  }

  set(path: string, data: string, version: number): Promise<number> {
    return this.#call(`set ${path}`, (calls) => calls.set(path, data, version), data);
  }

  remove(path: string, version?: number): Promise<void> {
    return this.#call(`remove ${path}`, (calls) => calls.remove(path, version));
  }

  watch(path: string, what: WatchKind, changed: () => void): () => void {
    return this.#watches.add(path, what, changed);
  }

  subscribe(listener: (state: FleetState) => void): () => void {
    let isNew = true;
    const own = (state: FleetState) => {
      if (state.kind === 'connected') {
        listener(isNew ? { kind: 'connected', fresh: true } : state);
        isNew = false;
      } else if (!isNew) listener(state);
    };
    this.#listeners.add(own);
    if (this.#isTold && this.#calls !== undefined) own({ kind: 'connected', fresh: true });
    return () => this.#listeners.delete(own);
  }

  isAlive(): boolean {
    return this.#isTold && this.#liveness.isAlive(this.#now());
  }

  /** Gives the session up at once: its ephemeral nodes go, and another one is opened. */
  renew(): void {
    this.#lose();
    this.#giveUp.abort();
  }

  /** Ends the session and with it its ephemeral nodes. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#lose();
    this.#giveUp.abort();
    await this.#kept;
  }

  async #keep(connect: ConnectClient, settings: SessionSettings, logger: RegistryLogger): Promise<void> {
    const handler = {
      connected: (client: ZooKeeperClient, fresh: boolean) => this.#connected(client, fresh, settings),
      // The session is kept, since it owns nodes.
      disconnected: () => {
        this.#suspend();
        return false;
      },
      watch: (event: WatchEvent, path: string) => this.#event(event, path),
      changed: (state: string) => {
        if (state !== 'connected' && state !== 'connecting') this.#lose();
      },
    };
    try {
      while (!this.#closing.signal.aborted) {
        this.#giveUp = new AbortController();
        await keepSession(connect, settings, handler, logger, this.#giveUp.signal);
      }
    } catch (error) {
      this.#hopeless = error as Error;
      logger.error({ reason: this.#hopeless.message }, 'the fleet is given up');
    } finally {
      this.#lose();
      clearTimeout(this.#timer);
    }
  }

  #connected(client: ZooKeeperClient, fresh: boolean, { credentials }: SessionSettings): void {
    if (this.#giveUp.signal.aborted) return;
    if (fresh) this.#lose();
    this.#timeoutMs = client.timeout;
    this.#calls = new NodeCalls(client, credentials !== undefined);
    this.#ask(this.#calls, () => {
      this.#isTold = true;
      this.#tell({ kind: 'connected', fresh });
      for (const { path, what } of this.#watches.all()) this.#arm(path, what);
    });
  }

  /** Asks the server whether the session lives, again and again. The first answer counts as the connection. */
  #ask(calls: NodeCalls, first: () => void): void {
    const askedAt = this.#now();
    calls.confirm((isAlive) => {
      if (calls !== this.#calls) return;
      if (isAlive) {
        this.#liveness.confirmed(askedAt, this.#timeoutMs);
        first();
        this.#expectMore();
      }
      setTimeout(() => {
        if (calls === this.#calls) this.#ask(calls, isAlive ? () => {} : first);
      }, questionIntervalMs(this.#timeoutMs)).unref();
    });
  }

  /** Gives the session up when no further answer comes in time. */
  #expectMore(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        if (this.#liveness.isAlive(this.#now())) this.#expectMore();
        else this.renew();
      },
      Math.max(1, this.#liveness.leftMs(this.#now())),
    );
  }

  #suspend(): void {
    const before = this.#calls;
    this.#calls?.end();
    this.#calls = undefined;
    if (before !== undefined && this.#isTold) this.#tell({ kind: 'suspended' });
  }

  #lose(): void {
    clearTimeout(this.#timer);
    this.#calls?.end();
    this.#calls = undefined;
    this.#liveness.end();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#tell({ kind: 'lost' });
  }

  #tell(state: FleetState): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(state);
  }

  #event(event: WatchEvent, path: string): void {
    for (const what of kindsOf(event)) this.#arm(path, what);
  }

  /** Sets the watch at the server, and tells the listeners then: what they read from now on is watched. */
  #arm(path: string, what: WatchKind): void {
    const client = this.#calls?.client;
    if (client === undefined || !this.#isTold || !this.#watches.has(path, what)) return;
    armWatch(client, path, what, (isLost) => {
      // After a loss it is set again with `connected`.
      if (!isLost && client === this.#calls?.client) this.#watches.changed(path, what);
    });
  }

  async #call<T>(what: string, work: (calls: NodeCalls) => Promise<T>, data = ''): Promise<T> {
    if (data.length > maxDataBytes || Buffer.byteLength(data) > maxDataBytes) throw new FleetError('too_large', what);
    if (this.#underWay >= maxCalls) throw new FleetError('busy', what);
    const calls = this.#calls;
    if (calls === undefined || !this.#isTold) throw new FleetError('lost', what);
    this.#underWay += 1;
    try {
      return await work(calls);
    } finally {
      this.#underWay -= 1;
    }
  }
}
