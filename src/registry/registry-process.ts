// The parent's side of the registry process: starts it, restarts it, and passes on what it reports.

import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../errors.js';
import { type Backoff, backoffDelay } from './backoff.js';
import { ChildSink } from './child-sink.js';
import { RemoteSession } from './coordination/remote-session.js';
import type { RegistryLogger } from './logger.js';
import { type ChildMessage, heartbeatIntervalMs, type ParentMessage, type StartMessage } from './messages.js';
import { OutageLog } from './outage-log.js';
import type { Registry } from './registry.js';
import type { ZooKeeperSettings } from './zookeeper.js';

const entry = fileURLToPath(new URL('./process-entry.js', import.meta.url));
const restart: Backoff = { baseMs: 100, maxMs: 10_000 };
/** A process that lived this long did not fail to start: the back-off begins again. */
const settledAfterMs = 30_000;
/** Closing a frozen session blocks the native client for several seconds; a longer silence means that it hangs. */
const hungAfterMs = 15_000;
/** From the stop message to SIGKILL. */
const endDeadlineMs = 5_000;
/** The only variables of its environment: secrets must not be in it. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'LD_LIBRARY_PATH'];

/** The registry in ZooKeeper behind a process boundary. */
export interface ProcessRegistry extends Registry {
  /** The running registry process. */
  readonly pid: number | undefined;
}

export interface ProcessOptions {
  /** Throws, or gives a process without a pid, when the system cannot start one. */
  readonly start?: () => ChildProcess;
  /** The node below which edges keep what they share; undefined: this edge is in no fleet. */
  readonly fleetRoot?: string | undefined;
}

/**
 * A crash of the native client never harms a stream: the process is started again, the known endpoints stay as `stale`
 * meanwhile, and the first complete picture of the next process is a `replace`. When the system cannot start it (no file
 * descriptor, no memory), that counts as a crash, since it may pass. `run` rejects only when no process has worked yet and one
 * says that no retry helps.
 */
export function createProcessRegistry(
  settings: ZooKeeperSettings,
  logger: RegistryLogger,
  { start = startChild, fleetRoot }: ProcessOptions = {},
): ProcessRegistry {
  let child: ChildProcess | undefined;
  const fleet = fleetRoot === undefined ? undefined : new RemoteSession(settings.sessionTimeout);
  const runOnce = async (childSink: ChildSink, known: boolean, signal: AbortSignal): Promise<string> => {
    try {
      child = start();
    } catch (error) {
      return (error as Error).message;
    }
    if (child.pid !== undefined) logger.info({ pid: child.pid }, 'registry process started');
    const isKnown = childSink.any || (known && !childSink.complete);
    const message: StartMessage = { kind: 'start', settings, known: isKnown, fleetRoot };
    return await superviseChild(child, message, { sink: childSink, fleet }, logger, signal).finally(() => {
      child = undefined;
    });
  };
  return {
    get pid() {
      return child?.pid;
    },
    fleet,
    async run(sink, signal, known = false) {
      const outages = new OutageLog(settings.servers, logger, (why) => sink.note({ kind: 'unreached', why }));
      const childSink = new ChildSink(sink, (state) => outages.session(state));
      for (let attempt = 0; !signal.aborted; ) {
        const startedAt = performance.now();
        outages.started();
        const why = await runOnce(childSink, known, signal).finally(() => outages.stopped());
        if (signal.aborted) return;
        childSink.stale();
        sink.note({ kind: 'session', state: 'restarted' });
        if (performance.now() - startedAt > settledAfterMs) attempt = 0;
        const delayMs = backoffDelay(attempt++, restart, Math.random);
        logger.error({ why, retryMs: Math.round(delayMs) }, 'registry process ended, starting it again');
        await sleep(delayMs, undefined, { signal }).catch(() => {});
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

/** Resolves with the reason when the process is gone. @throws OperatorError that no retry mends */
async function superviseChild(
  child: ChildProcess,
  start: StartMessage,
  { sink, fleet }: { readonly sink: ChildSink; readonly fleet: RemoteSession | undefined },
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
    else if (message.kind === 'fleet') fleet?.receive(message.reply);
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
      if (child.pid === undefined) resolve(error.message);
      else logger.error({ error: error.message }, 'registry process');
    });
  });
  // Ticks, not time: when this process itself stood still, the child's heartbeats wait in the pipe.
  const heartbeats = setInterval(() => {
    if (++silentTicks * heartbeatIntervalMs < hungAfterMs || hung) return;
    hung = true;
    child.kill('SIGKILL');
  }, heartbeatIntervalMs);
  const send = (message: ParentMessage) => {
    if (child.connected) child.send(message, () => {});
  };
  const onAbort = () => {
    send({ kind: 'stop' });
    killTimer = setTimeout(() => child.kill('SIGKILL'), endDeadlineMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    send(start);
    fleet?.attach((request) => send({ kind: 'fleet', request }));
    if (signal.aborted) onAbort();
    const how = await ended;
    // A registry that worked before may work again.
    if (fatal !== undefined && !sink.heard) throw new OperatorError(fatal);
    if (fatal !== undefined) return fatal;
    return hung ? `no heartbeat for ${hungAfterMs / 1000} s` : how;
  } finally {
    fleet?.detach();
    clearInterval(heartbeats);
    clearTimeout(killTimer);
    signal.removeEventListener('abort', onAbort);
  }
}
