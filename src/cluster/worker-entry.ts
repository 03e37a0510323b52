// The process of a worker. It ends when it has drained, and drains when it is told to or when its supervisor is gone.

import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SharedSocket } from '../data-plane.js';
import { createLogger } from '../log.js';
import type { SupervisorMessage, WorkerMessage } from './messages.js';
import { startWorker, type Worker } from './worker.js';

/** Milliseconds after the grace at which it ends, whatever still holds it. */
const endDeadline = 2_000;

/** A supervisor that is gone takes no message. */
function send(message: WorkerMessage, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent());
  else sent();
}

type Start = Extract<SupervisorMessage, { kind: 'start' }>;

async function run(start: Start, socket: SharedSocket): Promise<void> {
  const logger = createLogger(start.config.log).child({ worker: start.identity.self.slot });
  const starting = startWorker(start, socket, { send, logger });
  const waiting: [Exclude<SupervisorMessage, Start>, SharedSocket | undefined][] = [];
  let worker: Worker | undefined;
  let ending: 'shutdown' | 'handover' | undefined;

  async function end(how: 'shutdown' | 'handover'): Promise<void> {
    if (ending !== undefined) return;
    ending = how;
    setTimeout(() => process.exit(1), start.config.shutdown.grace + endDeadline).unref();
    await (await starting).drain(how);
    // The supervisor removes it, unless it is gone; the last worker finds it empty.
    if (!process.connected) await rmdir(dirname(start.identity.self.socket)).catch(() => undefined);
    // After everything that was sent before: the supervisor counts what this worker counted last.
    send({ kind: 'heartbeat', residentBytes: 0, utilization: 0 }, () => process.exit(0));
  }
  process.on('message', (message: SupervisorMessage, again?: SharedSocket) => {
    if (message.kind === 'start') return;
    if (message.kind === 'drain') void end(message.end);
    else if (worker === undefined) waiting.push([message, again]);
    else worker.hear(message, again);
  });
  process.on('disconnect', () => {
    // Asked to end a second time: the supervisor did not wait.
    if (ending === 'shutdown') process.exit(0);
    logger.error('the supervisor is gone: no new players');
    void end('shutdown');
  });

  try {
    worker = await starting;
    for (const [message, again] of waiting) worker.hear(message, again);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: 'failed', message, code }, () => process.exit(1));
  }
}

// Ctrl-C, a terminal that closes and a service manager's SIGTERM reach the whole process group; the supervisor says when
// this process ends.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => {});
// What comes before `start` is contained in it.
process.on('message', function begin(message: SupervisorMessage, socket: SharedSocket) {
  if (message.kind !== 'start') return;
  process.off('message', begin);
  void run(message, socket);
});
send({ kind: 'hello' });
