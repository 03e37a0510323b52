// The process of a worker. It ends when it has drained, and drains when it is told to or when its supervisor is gone.

import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SharedSocket } from '../data-plane/contract.js';
import { createLogger } from '../log.js';
import { createMetrics } from '../metrics.js';
import type { Snapshot } from '../model.js';
import { SnapshotStore } from '../snapshot/store.js';
import { limitHeapGrowth } from './heap-growth.js';
import type { SupervisorMessage, WorkerMessage } from './messages.js';
import { surviveRejections } from './rejections.js';
import { createWorker } from './worker.js';

/** Milliseconds after the grace at which it ends, whatever still holds it. */
const endReserveMs = 2_000;
/** Messages that the system has not taken yet; a supervisor that reads none gets no more reports. */
const maxWaiting = 64;

let waiting = 0;

/** A supervisor that is gone takes no message. */
function send(message: WorkerMessage, sent: () => void = () => {}): void {
  if (!process.connected) return sent();
  waiting += 1;
  process.send?.(message, undefined, undefined, () => {
    waiting -= 1;
    sent();
  });
}

type Start = Extract<SupervisorMessage, { kind: 'start' }>;

/** Resolves when it serves players; rejects when it cannot. */
function run(start: Start, snapshot: Snapshot, socket: SharedSocket | undefined): Promise<void> {
  const logger = createLogger(start.config.log).child({ worker: start.identity.self.slot });
  const metrics = createMetrics();
  surviveRejections(logger, metrics);
  const worker = createWorker(start, snapshot, { send, keepsUp: () => waiting < maxWaiting, logger }, metrics);
  let ending: 'shutdown' | 'handover' | undefined;

  async function end(how: 'shutdown' | 'handover'): Promise<void> {
    if (ending !== undefined) return;
    ending = how;
    setTimeout(() => process.exit(1), start.config.shutdown.grace + endReserveMs).unref();
    await listening.catch(() => undefined);
    await worker.drain(how);
    // The supervisor removes it, unless it is gone; the last worker finds it empty.
    if (!process.connected) await rmdir(dirname(start.identity.self.socket)).catch(() => undefined);
    // After everything that was sent before: the supervisor counts what this worker counted last.
    send({ kind: 'heartbeat', residentBytes: 0, utilization: 0, bytesPerSecond: 0 }, () => process.exit(0));
  }
  process.on('message', (message: SupervisorMessage, again?: SharedSocket) => {
    if (message.kind === 'start') return;
    if (message.kind === 'drain') void end(message.end);
    else worker.onMessage(message, again);
  });
  process.on('disconnect', () => {
    // Asked to end a second time: the supervisor did not wait.
    if (ending === 'shutdown') process.exit(0);
    logger.error('the supervisor is gone: no new players');
    void end('shutdown');
  });
  const listening = worker.listen(socket);
  return listening;
}

async function begin(start: Start, snapshot: Snapshot, socket: SharedSocket | undefined): Promise<void> {
  try {
    await run(start, snapshot, socket);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: 'failed', message, code }, () => process.exit(1));
  }
}

limitHeapGrowth();
// Ctrl-C, a terminal that closes and a service manager's SIGTERM reach the whole process group; the supervisor says when
// this process ends.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => {});
// Before `start` comes the whole picture, in pieces.
const registered = new SnapshotStore();
process.on('message', function onStart(message: SupervisorMessage, socket?: SharedSocket) {
  if (message.kind === 'update') registered.accept(message.update);
  if (message.kind !== 'start') return;
  process.off('message', onStart);
  void begin(message, registered.current, socket);
});
send({ kind: 'hello' });
