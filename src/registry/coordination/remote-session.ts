// The supervisor's side of the fleet's session, which the registry process has.

import { CallGate } from './call-gate.js';
import { Liveness, questionIntervalMs } from './liveness.js';
import {
  type CreateMode,
  FleetError,
  type FleetNode,
  type FleetSession,
  type FleetState,
  type WatchKind,
} from './session.js';
import type { NodeCall, SessionReply, SessionRequest } from './session-messages.js';
import { StateNews } from './state-news.js';
import { WatchTable } from './watch-table.js';

interface Waiting {
  readonly what: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: FleetError) => void;
}

/** Pings without an answer that are remembered. Older ones would prove nothing any more. */
const maxPings = 32;

/**
 * A session by way of one registry process after the other; without one there is no connection. It counts as alive from when
 * this process asked, by this process's clock, so that standing still here is noticed here.
 */
export class RemoteSession implements FleetSession {
  readonly #news = new StateNews();
  readonly #gate = new CallGate();
  readonly #watches: WatchTable;
  readonly #liveness: Liveness;
  readonly #now: () => number;
  readonly #waiting = new Map<number, Waiting>();
  /** When the pings without an answer were sent, by id. */
  readonly #pings = new Map<number, number>();
  #send: ((request: SessionRequest) => void) | undefined;
  /** Numbered by the registry process; 0: none yet. */
  #session = 0;
  /** Sessions up to this one are over, whatever is still said of them. */
  #over = 0;
  /** The registry process has a connection in this session, which is told once a ping is answered. */
  #connecting: FleetState | undefined;
  #isConnected = false;
  #isTold = false;
  #timeoutMs: number;
  #ids = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds */
  constructor(timeoutMs: number, now = () => performance.now()) {
    this.#now = now;
    this.#timeoutMs = timeoutMs;
    this.#liveness = new Liveness({ timeoutMs, now, expired: () => this.#giveUp() });
    this.#watches = new WatchTable(
      (path, what) => this.#send?.({ kind: 'watch', path, what }),
      (path, what) => this.#send?.({ kind: 'unwatch', path, what }),
    );
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** A registry process runs. */
  attach(send: (request: SessionRequest) => void): void {
    this.#send = send;
    for (const { path, what } of this.#watches.all()) send({ kind: 'watch', path, what });
    this.#ping();
  }

  /** It ended, and its session with it. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#send = undefined;
    this.#lose();
    this.#session = 0;
    this.#over = 0;
  }

  receive(reply: SessionReply): void {
    if (reply.kind === 'state') this.#state(reply);
    else if (reply.kind === 'pong') this.#pong(reply);
    else if (reply.kind === 'answer') this.#settle(reply.id, ({ resolve }) => resolve(reply.value));
    else if (reply.kind === 'refusal') {
      this.#settle(reply.id, ({ reject }) => reject(new FleetError(reply.error, reply.what)));
    } else if (this.#isConnected) for (const { path, what } of reply.watched) this.#watches.changed(path, what);
  }

  get(path: string): Promise<FleetNode | undefined> {
    return this.#call({ about: 'get', path });
  }

  children(path: string): Promise<readonly string[] | undefined> {
    return this.#call({ about: 'children', path });
  }

  create(path: string, data: string, mode: CreateMode): Promise<string> {
    return this.#call({ about: 'create', path, data, mode }, data);
  }

  set(path: string, data: string, version: number): Promise<number> {
    return this.#call({ about: 'set', path, data, version }, data);
  }

  remove(path: string, version?: number): Promise<void> {
    return this.#call({ about: 'remove', path, version });
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

  #ping(): void {
    clearTimeout(this.#timer);
    const id = ++this.#ids;
    this.#pings.set(id, this.#now());
    for (const old of this.#pings.keys()) {
      if (this.#pings.size <= maxPings) break;
      this.#pings.delete(old);
    }
    this.#send?.({ kind: 'ping', id });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ping();
    }, questionIntervalMs(this.#timeoutMs));
  }

  #state({ session, state, timeoutMs }: Extract<SessionReply, { kind: 'state' }>): void {
    if (session <= this.#over) return;
    if (state.kind === 'lost') return this.#lose();
    if (state.kind === 'suspended') {
      this.#connecting = undefined;
      if (this.#isConnected) this.#news.tell(state);
      this.#isConnected = false;
      return;
    }
    if (session !== this.#session) this.#lose();
    this.#session = session;
    this.#timeoutMs = timeoutMs;
    this.#connecting = state;
    this.#ping();
  }

  #pong({ id, session, timeoutMs }: Extract<SessionReply, { kind: 'pong' }>): void {
    const askedAt = this.#pings.get(id);
    this.#pings.delete(id);
    if (askedAt === undefined || session !== this.#session || session <= this.#over) return;
    this.#liveness.confirmed(askedAt, timeoutMs);
    const state = this.#connecting;
    if (state === undefined) return;
    this.#connecting = undefined;
    this.#isConnected = true;
    this.#isTold = true;
    this.#news.tell(state);
    for (const { path, what } of this.#watches.all()) this.#watches.changed(path, what);
  }

  /** The session may still be alive, and would keep its nodes. */
  #giveUp(): void {
    this.#send?.({ kind: 'renew', session: this.#session });
    this.#lose();
  }

  #lose(): void {
    this.#over = Math.max(this.#over, this.#session);
    this.#connecting = undefined;
    this.#isConnected = false;
    this.#liveness.end();
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, ({ what, reject }) => reject(new FleetError('lost', what)));
    }
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#news.tell({ kind: 'lost' });
  }

  #settle(id: number, settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) settle(waiting);
  }

  #call<T>(call: NodeCall, data = ''): Promise<T> {
    const what = `${call.about} ${call.path}`;
    return this.#gate.pass(what, data, () => {
      const send = this.#send;
      if (send === undefined || !this.#isConnected) throw new FleetError('lost', what);
      return new Promise<T>((resolve, reject) => {
        const id = ++this.#ids;
        this.#waiting.set(id, { what, resolve: resolve as (value: unknown) => void, reject });
        send({ kind: 'call', id, session: this.#session, call });
      });
    });
  }
}
