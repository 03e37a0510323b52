// Keeps a ZooKeeper session: one native client after another. Late events of an earlier client are ignored.

import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.js';
import { parseConnectString } from '../net-address.js';
import { type Backoff, backoffDelay } from './backoff.js';
import type { RegistryLogger } from './logger.js';
import { reachServers } from './reach.js';
import type { TlsSettings } from './tls/connection.js';
import type { ConnectClient, WatchEvent, ZooKeeperClient } from './zookeeper-client.js';

export interface SessionSettings {
  /** `HOST:PORT[,HOST:PORT…][/chroot]`. */
  readonly servers: string;
  /** The requested timeout in ms; the server grants at least twice its tickTime. */
  readonly sessionTimeout: number;
  /** `USER:PASSWORD` for digest authentication. */
  readonly credentials: string | undefined;
  /** Undefined: without TLS. */
  readonly tls?: TlsSettings | undefined;
}

export type SessionChange = 'connected' | 'connecting' | 'expired' | 'auth_failed' | 'watchdog' | 'unresolved';

export interface SessionHandler {
  /** `fresh`: a new session, which owns no node and no watch. Else the connection of the known session came back. */
  connected(client: ZooKeeperClient, fresh: boolean): void;
  /** Nothing comes from this client until `connected`. Return true to start a new session at once. */
  disconnected(): boolean;
  watch(event: WatchEvent, path: string): void;
  changed(state: SessionChange): void;
}

const retry: Backoff = { baseMs: 200, maxMs: 10_000 };
/** Refused credentials are not corrected soon. */
const authRetry: Backoff = { baseMs: 30_000, maxMs: 60_000 };

type End = 'expired' | 'auth_failed' | 'watchdog' | 'renewed' | 'aborted' | 'unresolved';

/**
 * Keeps a session until `signal` aborts. Every loss is retried for ever, with back-off and jitter: expiry at once, refused
 * credentials after half a minute, a server that never answers (which the native client does not report) after twice the
 * session timeout. A lost connection is logged at once, and so is its return.
 *
 * @throws OperatorError for a malformed connect string
 */
export async function keepSession(
  connect: ConnectClient,
  settings: SessionSettings,
  handler: SessionHandler,
  logger: RegistryLogger,
  signal: AbortSignal,
): Promise<void> {
  const target = parseConnectString(settings.servers);
  if (target === undefined) {
    throw new OperatorError(`registry.zookeeper.servers: "${settings.servers}" is not HOST:PORT[,HOST:PORT…][/chroot]`);
  }
  const logged = loggedHandler(handler, logger);
  let failures = 0;
  let loggedProblems = '';
  while (!signal.aborted) {
    const reach = await reachServers(target, settings.tls, (why) => {
      if (why !== loggedProblems) logger.warn({ why }, 'no server of ZooKeeper is reached by TLS');
      loggedProblems = why;
    });
    if (signal.aborted) return await reach.close();
    let end: End = 'unresolved';
    const unresolved = reach.problems();
    if (reach.connect !== undefined) {
      if (unresolved !== '' && unresolved !== loggedProblems)
        logger.warn({ why: unresolved }, 'not all servers of ZooKeeper have an address');
      const session = await oneSession(connect, { ...settings, servers: reach.connect }, logged, signal);
      end = session.end;
      if (session.wasConnected) failures = 0;
    }
    const problems = reach.problems();
    loggedProblems = problems;
    await reach.close();
    if (end === 'aborted' || signal.aborted) return;
    if (end !== 'renewed') handler.changed(end);
    if (end === 'renewed' || (end === 'expired' && failures === 0)) {
      if (end === 'expired') logger.warn({}, 'the ZooKeeper session expired, making a new one');
      failures = 1;
      continue;
    }
    const delayMs = backoffDelay(failures++, end === 'auth_failed' ? authRetry : retry, Math.random);
    const why = problems === '' ? {} : { why: problems };
    const line = { servers: settings.servers, reason: end, ...why, retryMs: Math.round(delayMs) };
    if (end === 'auth_failed') logger.error(line, 'ZooKeeper refused the credentials (registry.zookeeper.credentials)');
    else logger.warn(line, 'no ZooKeeper session');
    await sleep(delayMs, undefined, { signal }).catch(() => {});
  }
}

function loggedHandler(handler: SessionHandler, logger: RegistryLogger): SessionHandler {
  return {
    connected(client, fresh) {
      logger.info({}, fresh ? 'connected to ZooKeeper' : 'connected to ZooKeeper again, in the same session');
      handler.connected(client, fresh);
    },
    disconnected() {
      logger.warn({}, 'lost the connection to ZooKeeper, going on trying');
      return handler.disconnected();
    },
    watch: (event, path) => handler.watch(event, path),
    changed: (state) => handler.changed(state),
  };
}

/** One native client from its creation to its end. */
function oneSession(
  connect: ConnectClient,
  settings: SessionSettings,
  handler: SessionHandler,
  signal: AbortSignal,
): Promise<{ end: End; wasConnected: boolean }> {
  return new Promise((resolve) => {
    let over = false;
    let wasConnected = false;
    let online = false;
    let watchdog: NodeJS.Timeout | undefined;

    const finish = (end: End) => {
      if (over) return;
      over = true;
      clearTimeout(watchdog);
      signal.removeEventListener('abort', onAbort);
      if (online && end !== 'aborted') handler.disconnected();
      online = false;
      // The native object must not be freed under the event that it is just delivering.
      setImmediate(() => {
        client.close();
        resolve({ end, wasConnected });
      });
    };
    const onAbort = () => finish('aborted');
    const watch = (timeoutMs: number) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(finish, 2 * timeoutMs, 'watchdog');
    };

    const client = connect(
      { connect: settings.servers, timeout: settings.sessionTimeout, digest: settings.credentials },
      {
        connect() {
          if (over) return;
          clearTimeout(watchdog);
          const fresh = !wasConnected;
          wasConnected = true;
          online = true;
          handler.changed('connected');
          handler.connected(client, fresh);
        },
        connecting() {
          if (over) return;
          const wasOnline = online;
          online = false;
          watch(wasConnected ? client.timeout : settings.sessionTimeout);
          if (!wasOnline) return;
          handler.changed('connecting');
          if (handler.disconnected()) finish('renewed');
        },
        close(reason) {
          finish(reason === 'closed' ? 'expired' : reason);
        },
        watch(event, path) {
          if (!over) handler.watch(event, path);
        },
      },
    );
    watch(settings.sessionTimeout);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) finish('aborted');
  });
}
