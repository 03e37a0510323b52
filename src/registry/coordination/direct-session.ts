// A fleet's session over the native client in this process: its life, and what is asked in it.

import { OperatorError } from '../../errors.js';
import type { RegistryLogger } from '../logger.js';
import type { ConnectClient, WatchEvent, ZooKeeperClient } from '../zookeeper-client.js';
import { keepSession, type SessionSettings } from '../zookeeper-session.js';
import { CallGate } from './call-gate.js';
import { Liveness, questionIntervalMs } from './liveness.js';
import { NodeCalls } from './node-calls.js';
import {
  type CreateMode,
  FleetError,
  type FleetNode,
  type FleetSession,
  type FleetState,
  type WatchKind,
} from './session.js';
import { StateNews } from './state-news.js';
import { armWatch, kindsOf } from './watch-arming.js';
import { WatchTable } from './watch-table.js';

export interface FleetSettings extends SessionSettings {
  /** What is made at this path and below is for the credentials alone, where there are some. */
  readonly root: string;
}

/**
 * Keeps one session after the other until `close`. A session that no server confirmed for 2/3 of its timeout is given up, even
 * where it might still be alive.
 */
export class DirectSession implements FleetSession {
  readonly #news = new StateNews();
  readonly #gate = new CallGate();
  readonly #watches: WatchTable;
  readonly #liveness: Liveness;
  readonly #settings: FleetSettings;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  /** Ends the present session. */
  #giveUp = new AbortController();
  /** Of the present connection. */
  #calls: NodeCalls | undefined;
  #timeoutMs: number;
  /** The session was told as connected, and not as lost since. */
  #isTold = false;
  /** Tells of a new connection, once a server has confirmed the session. */
  #announce: (() => void) | undefined;
  #question: NodeJS.Timeout | undefined;
  #giveUpHope: (error: Error) => void = () => {};
  readonly #hopeless = new Promise<Error>((resolve) => {
    this.#giveUpHope = resolve;
  });

  /** @param now monotonic milliseconds */
  constructor(connect: ConnectClient, settings: FleetSettings, logger: RegistryLogger, now = () => performance.now()) {
    this.#settings = settings;
    this.#now = now;
    this.#timeoutMs = settings.sessionTimeout;
    this.#liveness = new Liveness({ timeoutMs: this.#timeoutMs, now, expired: () => this.renew() });
    this.#watches = new WatchTable(
      (path, what) => this.#arm(path, what),
      () => {},
    );
    this.#kept = this.#keep(connect, logger);
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Resolves when no session will be there without an operator: a malformed list of servers, refused credentials. */
  get hopeless(): Promise<Error> {
    return this.#hopeless;
  }

  /** For how many ms `isAlive` is still true without another answer of a server. */
  aliveForMs(): number {
    return this.#isTold ? Math.max(0, this.#liveness.leftMs()) : 0;
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

  /** Resolves when a server has answered a question asked from now on. @throws FleetError `lost` */
  confirm(): Promise<void> {
    return this.#call('confirm the session', (calls) => this.#confirm(calls));
  }

  watch(path: string, what: WatchKind, changed: () => void): () => void {
    return this.#watches.add(path, what, changed);
  }

  subscribe(listener: (state: FleetState) => void): () => void {
    return this.#news.subscribe(listener);
  }

  isAlive(): boolean {
    return this.#isTold && this.#liveness.isAlive();
  }

  /** Gives the session up at once: its ephemeral nodes go, and another one is opened. */
  renew(): void {
    this.#lose();
    this.#giveUp.abort();
  }

  /** Ends the session and with it its ephemeral nodes. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.renew();
    await this.#kept;
  }

  async #keep(connect: ConnectClient, logger: RegistryLogger): Promise<void> {
    const handler = {
      connected: (client: ZooKeeperClient, fresh: boolean) => this.#connected(client, fresh),
      // The session is kept, since it owns nodes.
      disconnected: () => {
        this.#suspend();
        return false;
      },
      watch: (event: WatchEvent, path: string) => {
        for (const what of kindsOf(event)) this.#arm(path, what);
      },
      changed: (state: string) => {
        if (state !== 'connected' && state !== 'connecting') this.#lose();
        if (state === 'auth_failed')
          this.#giveUpHope(new OperatorError('ZooKeeper refused registry.zookeeper.credentials'));
      },
    };
    try {
      while (!this.#closing.signal.aborted) {
        this.#giveUp = new AbortController();
        await keepSession(connect, this.#settings, handler, logger, this.#giveUp.signal);
      }
    } catch (error) {
      this.#giveUpHope(error as Error);
      logger.error({ reason: (error as Error).message }, 'the session of the fleet is given up');
    } finally {
      this.#lose();
    }
  }

  #connected(client: ZooKeeperClient, fresh: boolean): void {
    if (this.#giveUp.signal.aborted) return;
    if (fresh) this.#lose();
    this.#timeoutMs = client.timeout;
    const { credentials, root } = this.#settings;
    const calls = new NodeCalls(client, credentials === undefined ? undefined : root);
    this.#calls = calls;
    this.#announce = () => {
      this.#isTold = true;
      this.#news.tell({ kind: 'connected', fresh });
      for (const { path, what } of this.#watches.all()) this.#arm(path, what);
    };
    this.#ask(calls);
  }

  /** Asks for as long as there is this connection. */
  #ask(calls: NodeCalls): void {
    this.#confirm(calls).catch(() => {});
  }

  async #confirm(calls: NodeCalls): Promise<void> {
    const askedAt = this.#now();
    clearTimeout(this.#question);
    this.#question = setTimeout(() => this.#ask(calls), questionIntervalMs(this.#timeoutMs));
    await calls.confirm();
    if (calls !== this.#calls) throw new FleetError('lost', 'confirm the session');
    this.#liveness.confirmed(askedAt, this.#timeoutMs);
    const announce = this.#announce;
    this.#announce = undefined;
    announce?.();
  }

  #disconnect(): void {
    this.#announce = undefined;
    clearTimeout(this.#question);
    this.#calls?.end();
    this.#calls = undefined;
  }

  #suspend(): void {
    this.#disconnect();
    if (this.#isTold) this.#news.tell({ kind: 'suspended' });
  }

  #lose(): void {
    this.#disconnect();
    this.#liveness.end();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#news.tell({ kind: 'lost' });
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

  #call<T>(what: string, work: (calls: NodeCalls) => Promise<T>, data = ''): Promise<T> {
    return this.#gate.pass(what, data, () => {
      const calls = this.#calls;
      if (calls === undefined || !this.#isTold) throw new FleetError('lost', what);
      return work(calls);
    });
  }
}
