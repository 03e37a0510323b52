// The registry process's side of the fleet's session: does what the supervisor asks, and ends the session when it falls silent.

import type { DirectSession } from './direct-session.js';
import { questionIntervalMs } from './liveness.js';
import { aliveShare, FleetError, type WatchKind } from './session.js';
import type { NodeCall, SessionReply, SessionRequest } from './session-messages.js';

type HostedSession = Pick<
  DirectSession,
  'get' | 'children' | 'create' | 'set' | 'remove' | 'confirm' | 'watch' | 'subscribe' | 'renew' | 'close' | 'timeoutMs'
>;

/** Sends one message; calls `done` when the channel took it. */
type Send = (reply: SessionReply, done?: () => void) => void;

/** Serves one supervisor. It runs from its making to `close`. */
export class SessionHost {
  readonly #session: HostedSession;
  readonly #send: Send;
  readonly #now: () => number;
  readonly #watched = new Map<string, () => void>();
  /** What changed and was not told yet. */
  readonly #changed = new Map<string, { readonly path: string; readonly what: WatchKind }>();
  /** Of the present session, from 1 on. */
  #number = 0;
  #heardAt: number;
  #isSilent = false;
  #telling = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds */
  constructor(session: HostedSession, send: Send, now = () => performance.now()) {
    this.#session = session;
    this.#send = send;
    this.#now = now;
    this.#heardAt = now();
    session.subscribe((state) => {
      if (state.kind === 'connected' && state.fresh) this.#number += 1;
      send({ kind: 'state', session: this.#number, state, timeoutMs: session.timeoutMs });
    });
    this.#listen();
  }

  receive(request: SessionRequest): void {
    this.#heardAt = this.#now();
    this.#isSilent = false;
    if (request.kind === 'ping') void this.#ping(request.id);
    else if (request.kind === 'call') void this.#call(request);
    else if (request.kind === 'watch') this.#watch(request.path, request.what);
    else if (request.kind === 'unwatch') this.#unwatch(`${request.what} ${request.path}`);
    else if (request.session === this.#number) this.#session.renew();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#session.close();
  }

  /**
   * A supervisor that was silent for too long takes its session for lost: another edge may have what it had, at once. What it
   * said while this process itself stood still waits in the pipe, and is read before it is judged.
   */
  #listen(): void {
    const { timeoutMs } = this.#session;
    this.#timer = setTimeout(() => {
      setImmediate(() => {
        if (!this.#isSilent && this.#now() - this.#heardAt > timeoutMs * aliveShare) {
          this.#isSilent = true;
          this.#session.renew();
        }
      });
      this.#listen();
    }, questionIntervalMs(timeoutMs));
  }

  async #ping(id: number): Promise<void> {
    const session = this.#number;
    try {
      await this.#session.confirm();
    } catch {
      return;
    }
    if (session === this.#number) this.#send({ kind: 'pong', id, session, timeoutMs: this.#session.timeoutMs });
  }

  async #call({ id, session, call }: Extract<SessionRequest, { kind: 'call' }>): Promise<void> {
    try {
      if (session !== this.#number) throw new FleetError('lost', `${call.about} ${call.path}`);
      this.#send({ kind: 'answer', id, value: await this.#ask(call) });
    } catch (error) {
      const { kind, what } = error instanceof FleetError ? error : new FleetError('failed', (error as Error).message);
      this.#send({ kind: 'refusal', id, error: kind, what });
    }
  }

  #ask(call: NodeCall): Promise<unknown> {
    if (call.about === 'get') return this.#session.get(call.path);
    if (call.about === 'children') return this.#session.children(call.path);
    if (call.about === 'create') return this.#session.create(call.path, call.data, call.mode);
    if (call.about === 'set') return this.#session.set(call.path, call.data, call.version);
    return this.#session.remove(call.path, call.version);
  }

  /** The supervisor has the same bound, so none is refused. */
  #watch(path: string, what: WatchKind): void {
    const key = `${what} ${path}`;
    if (this.#watched.has(key)) return;
    const end = this.#session.watch(path, what, () => {
      this.#changed.set(key, { path, what });
      this.#tell();
    });
    this.#watched.set(key, end);
  }

  #unwatch(key: string): void {
    this.#watched.get(key)?.();
    this.#watched.delete(key);
    this.#changed.delete(key);
  }

  /** One message at a time: what changes meanwhile is told once, however often it changed. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(() => {
      const watched = [...this.#changed.values()];
      this.#changed.clear();
      if (watched.length === 0) this.#telling = false;
      else {
        this.#send({ kind: 'changed', watched }, () => {
          this.#telling = false;
          if (this.#changed.size > 0) this.#tell();
        });
      }
    });
  }
}
