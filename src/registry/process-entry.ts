// The registry process, the only one that loads the native ZooKeeper client. It ends when its parent ends.

import { OperatorError } from '../errors.js';
import { DirectSession } from './coordination/direct-session.js';
import { SessionHost } from './coordination/session-host.js';
import { type LogLevel, withFields } from './logger.js';
import { type ChildMessage, heartbeatIntervalMs, type ParentMessage, type StartMessage } from './messages.js';
import { Outbox } from './outbox.js';
import { createZooKeeperRegistry } from './zookeeper.js';
import { loadClient } from './zookeeper-client.js';

const stop = new AbortController();
/** Closing a session takes a millisecond, or seconds where the server stands still. */
const closeDeadlineMs = 2_000;
/** The session of the fleet; undefined where there is none. */
let hosted: Promise<SessionHost | undefined> = Promise.resolve(undefined);

/** Sends nothing to a parent that is gone; then `disconnect` ends this process. */
function send(message: ChildMessage, done: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => done());
}

const log = (level: LogLevel) => (fields: object, message: string) => send({ kind: 'log', level, fields, message });
const logger = { info: log('info'), warn: log('warn'), error: log('error') };
const fleetLogger = withFields(logger, { session: 'fleet' });

/** Where the client is missing, the registry says so. */
async function host({ settings, fleetRoot: root }: StartMessage): Promise<SessionHost | undefined> {
  const connect = root === undefined ? undefined : await loadClient().catch(() => undefined);
  if (connect === undefined || root === undefined) return undefined;
  const session = new DirectSession(connect, { ...settings, root }, fleetLogger);
  return new SessionHost(session, (reply, done) => send({ kind: 'fleet', reply }, done));
}

/** Its ephemeral nodes go at once, not when its session has expired. */
async function closeHosted(): Promise<void> {
  const timer = setTimeout(() => process.exit(0), closeDeadlineMs);
  await (await hosted)?.close();
  clearTimeout(timer);
}

async function run({ settings, known }: StartMessage): Promise<void> {
  const heartbeat = setInterval(() => send({ kind: 'heartbeat' }), heartbeatIntervalMs);
  try {
    await createZooKeeperRegistry(settings, logger).run(new Outbox(send), stop.signal, known);
    await closeHosted();
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
process.on('disconnect', () => {
  closeHosted().then(
    () => process.exit(0),
    () => process.exit(0),
  );
});
process.on('message', (raw) => {
  const message = raw as ParentMessage;
  if (message.kind === 'start') {
    hosted = host(message);
    void run(message);
  } else if (message.kind === 'fleet') void hosted.then((host) => host?.receive(message.request));
  else stop.abort();
});
