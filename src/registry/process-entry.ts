// The registry process, the only one that loads the native ZooKeeper client. It ends when its parent ends.

import { OperatorError } from '../errors.js';
import type { LogLevel } from './logger.js';
import { type ChildMessage, heartbeatIntervalMs, type ParentMessage, type StartMessage } from './messages.js';
import { Outbox } from './outbox.js';
import { createZooKeeperRegistry } from './zookeeper.js';

const stop = new AbortController();

/** Sends nothing to a parent that is gone; then `disconnect` ends this process. */
function send(message: ChildMessage, done: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => done());
}

const log = (level: LogLevel) => (fields: object, message: string) => send({ kind: 'log', level, fields, message });

async function run({ settings, known }: StartMessage): Promise<void> {
  const logger = { info: log('info'), warn: log('warn'), error: log('error') };
  const heartbeat = setInterval(() => send({ kind: 'heartbeat' }), heartbeatIntervalMs);
  try {
    await createZooKeeperRegistry(settings, logger).run(new Outbox(send), stop.signal, known);
    process.exit(0);
  } catch (error) {
    const end = () => process.exit(1);
    if (error instanceof OperatorError) return send({ kind: 'fatal', message: error.message }, end);
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ kind: 'log', level: 'error', fields: { error: told }, message: 'registry process' }, end);
  } finally {
    clearInterval(heartbeat);
  }
}

// Ctrl-C and a service manager's SIGTERM reach the whole process group; only the parent ends this process.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (raw) => {
  const message = raw as ParentMessage;
  if (message.kind === 'start') void run(message);
  else stop.abort();
});
