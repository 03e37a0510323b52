// A worker's process as its supervisor sees it, played by the test: what it is sent is kept, what it says is made up.

import { EventEmitter } from 'node:events';
import type { ListeningSocket } from '../../src/cluster/listening-socket.js';
import type { SupervisorMessage, WorkerMessage } from '../../src/cluster/messages.js';
import type { Child } from '../../src/cluster/worker-parts.js';

let processes = 0;

export class FakeChild extends EventEmitter implements Child {
  readonly pid: number | undefined;
  connected = true;
  /** Everything it was sent, in order. */
  readonly sent: SupervisorMessage[] = [];
  /** Signals it was sent. */
  readonly signals: string[] = [];
  /** False: the system takes no message for it any more, as when it does not read. */
  reads = true;
  onMessage: (message: SupervisorMessage) => void = () => {};
  onSignal: (signal: string) => void = () => {};
  readonly #waiting: (() => void)[] = [];

  /** @param started false: the system could not start it */
  constructor({ started = true } = {}) {
    super();
    processes += 1;
    this.pid = started ? 100_000 + processes : undefined;
  }

  send(message: SupervisorMessage, _handle: unknown, _options: unknown, taken: () => void): boolean {
    this.sent.push(message);
    this.onMessage(message);
    if (this.reads) queueMicrotask(taken);
    else this.#waiting.push(taken);
    return true;
  }

  kill(signal: string): boolean {
    this.signals.push(signal);
    this.onSignal(signal);
    return true;
  }

  /** What it was sent is taken, and all that follows. */
  readAgain(): void {
    this.reads = true;
    for (const taken of this.#waiting.splice(0)) taken();
  }

  says(message: WorkerMessage): void {
    this.emit('message', message);
  }

  ends(code: number | null = 0, signal: string | null = null): void {
    if (!this.connected) return;
    this.connected = false;
    this.emit('exit', code, signal);
    this.emit('disconnect');
  }

  /** The kinds of what it was sent. */
  get heard(): string[] {
    return this.sent.map(({ kind }) => kind);
  }

  /** What it was started with. */
  get start(): Extract<SupervisorMessage, { kind: 'start' }> | undefined {
    return this.sent.find((message) => message.kind === 'start');
  }
}

/** What a process does by itself. `serve`: what a worker does; `fail`: it cannot listen; `hang`: it says nothing. */
export type Conduct = 'serve' | 'fail' | 'hang' | 'no process' | 'no memory';

/** The processes that a supervisor starts. */
export class FakeChildren {
  readonly all: FakeChild[] = [];
  /** What the next processes do, one after the other; then all serve. */
  readonly next: Conduct[] = [];

  readonly fork = (): Child => {
    const conduct = this.next.shift() ?? 'serve';
    if (conduct === 'no memory') throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
    const child = new FakeChild({ started: conduct !== 'no process' });
    this.all.push(child);
    if (conduct === 'no process') {
      child.connected = false;
      queueMicrotask(() => child.emit('error', new Error('spawn EMFILE')));
      return child;
    }
    child.onSignal = () => queueMicrotask(() => child.ends(null, 'SIGKILL'));
    if (conduct === 'hang') return child;
    child.onMessage = ({ kind }) => {
      if (kind === 'drain') queueMicrotask(() => child.ends());
      if (kind !== 'start') return;
      queueMicrotask(() => {
        if (conduct === 'serve') return child.says({ kind: 'listening' });
        child.says({ kind: 'failed', message: 'listen EADDRINUSE', code: 'EADDRINUSE' });
        child.ends(1);
      });
    };
    queueMicrotask(() => child.says({ kind: 'hello' }));
    return child;
  };

  /** Those that are not gone, with the configuration that each was started with. */
  get alive(): readonly FakeChild[] {
    return this.all.filter(({ connected }) => connected);
  }
}

/** A socket that nobody connects to. */
export function fakeSocket(): ListeningSocket & { closed: boolean } {
  const socket = {
    address: { address: '127.0.0.1', family: 'IPv4', port: 1 },
    handle: {} as ListeningSocket['handle'],
    closed: false,
    close: () => {
      socket.closed = true;
    },
  };
  return socket;
}
