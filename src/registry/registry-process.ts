// The parent's side of the registry process: starts it, restarts it, and passes on what it tells.

import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Endpoint, EndpointId } from '../model.js';
import { type Backoff, backoffDelay } from './backoff.js';
import {
  type ChildMessage,
  heartbeatInterval,
  type ParentMessage,
  type RegistryLogger,
  type StartMessage,
} from './messages.js';
import type { Registry, RegistrySink } from './registry.js';
import type { ZooKeeperSettings } from './zookeeper.js';

const entry = fileURLToPath(new URL('./process-entry.js', import.meta.url));
const restart: Backoff = { base: 100, max: 10_000 };
/** A process that lived this long did not fail to start: the back-off begins anew. */
const settledAfter = 30_000;
/** Closing a session that is frozen blocks the native client for several seconds; longer is hung. */
const hungAfter = 15_000;
/** From the word to end to SIGKILL. */
const endDeadline = 5_000;
/** All else stays out of its environment, secrets first of all. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'LD_LIBRARY_PATH'];

/** The registry in ZooKeeper behind a process boundary. */
export interface ProcessRegistry extends Registry {
  /** The running registry process. */
  readonly pid: number | undefined;
}

/**
 * A crash of the native client never touches a stream: the process is started again, what was told stands as `stale`
 * meanwhile, and the first complete picture of the next one is a `replace`.
 */
export function createProcessRegistry(settings: ZooKeeperSettings, logger: RegistryLogger): ProcessRegistry {
  let child: ChildProcess | undefined;
  return {
    get pid() {
      return child?.pid;
    },
    async run(sink, signal, known = false) {
      const told = new ToldSink(sink);
      for (let attempt = 0; !signal.aborted; ) {
        const startedAt = performance.now();
        child = startChild();
        logger.info({ pid: child.pid }, 'registry process started');
        const why = await superviseChild(
          child,
          { kind: 'start', settings, known: told.any || (known && !told.complete) },
          told,
          logger,
          signal,
        );
        child = undefined;
        if (signal.aborted) return;
        told.stale();
        sink.note({ kind: 'session', state: 'restarted' });
        if (performance.now() - startedAt > settledAfter) attempt = 0;
        const delay = backoffDelay(attempt++, restart, Math.random);
        logger.error({ why, retryMs: Math.round(delay) }, 'registry process ended, starting it again');
        await sleep(delay, undefined, { signal }).catch(() => {});
      }
    },
  };
}

function startChild(): ChildProcess {
  const env = Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  return fork(entry, [], {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Resolves with the reason when the process is gone. Rejects with the error that no retry heals. */
async function superviseChild(
  child: ChildProcess,
  start: StartMessage,
  sink: ToldSink,
  logger: RegistryLogger,
  signal: AbortSignal,
): Promise<string> {
  let fatal: string | undefined;
  let hung = false;
  let silentTicks = 0;
  let killTimer: NodeJS.Timeout | undefined;

  child.on('message', (raw) => {
    const message = raw as ChildMessage;
    silentTicks = 0;
    if (message.kind === 'fatal') fatal = message.message;
    else if (message.kind === 'log') logger[message.level](message.fields, message.message);
    else if (!signal.aborted) sink.receive(message);
  });
  const ended = new Promise<string>((resolve) => {
    child.on('close', (code, killedBy) => {
      const how = `exit ${killedBy ?? code}`;
      // Its last messages may still be in the pipe, the fatal one among them.
      if (child.connected) child.once('disconnect', () => resolve(how));
      else resolve(how);
    });
    child.on('error', (error) => {
      logger.error({ error: error.message }, 'registry process');
      if (child.pid === undefined) resolve(error.message);
    });
  });
  // Ticks, not time: when this process itself stood still, the child's heartbeats wait in the pipe.
  const heartbeats = setInterval(() => {
    if (++silentTicks * heartbeatInterval < hungAfter || hung) return;
    hung = true;
    child.kill('SIGKILL');
  }, heartbeatInterval);
  const send = (message: ParentMessage) => {
    if (child.connected) child.send(message, () => {});
  };
  const onAbort = () => {
    send({ kind: 'stop' });
    killTimer = setTimeout(() => child.kill('SIGKILL'), endDeadline);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    send(start);
    if (signal.aborted) onAbort();
    const how = await ended;
    if (fatal !== undefined) throw new Error(fatal);
    return hung ? `no heartbeat for ${hungAfter / 1000} s` : how;
  } finally {
    clearInterval(heartbeats);
    clearTimeout(killTimer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Passes on what a child tells, and remembers whether anything was told. */
class ToldSink {
  private readonly ids = new Set<EndpointId>();
  private picture: Endpoint[] = [];
  private live = false;
  /** A complete picture was told, be it an empty one. */
  complete = false;

  constructor(private readonly sink: RegistrySink) {}

  get any(): boolean {
    return this.ids.size > 0;
  }

  /** What was told stands; only what was live goes stale. */
  stale(): void {
    if (this.live) this.sink.status('stale');
    this.live = false;
  }

  receive(message: Extract<ChildMessage, { kind: 'replace' | 'batch' | 'heartbeat' }>): void {
    if (message.kind === 'replace') this.replace(message);
    else if (message.kind === 'batch') this.batch(message);
  }

  private replace({ first, last, endpoints }: Extract<ChildMessage, { kind: 'replace' }>): void {
    if (first) this.picture = [];
    for (const endpoint of endpoints) this.picture.push(endpoint);
    if (!last) return;
    this.complete = true;
    this.ids.clear();
    for (const { id } of this.picture) this.ids.add(id);
    this.sink.replace(this.picture);
    this.picture = [];
  }

  private batch({ changes, notes, status }: Extract<ChildMessage, { kind: 'batch' }>): void {
    for (const change of changes) {
      if (change.kind === 'put') {
        this.ids.add(change.endpoint.id);
        this.sink.put(change.endpoint, change.seenAt);
      } else {
        this.ids.delete(change.id);
        this.sink.drop(change.id, change.seenAt);
      }
    }
    for (const note of notes) this.sink.note(note);
    if (status === 'live') this.live = true;
    if (status === 'stale') this.stale();
    else if (status !== undefined) this.sink.status(status);
  }
}
