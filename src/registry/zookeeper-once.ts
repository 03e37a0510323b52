// A short ZooKeeper session for a single command: connect, work, close. A session that must last: zookeeper-session.ts.

import { OperatorError } from '../errors.js';
import { parseConnectString } from '../net-address.js';
import { reachServers } from './reach.js';
import { type ClientEvents, type ConnectClient, loadClient, type ZooKeeperClient } from './zookeeper-client.js';
import type { SessionSettings } from './zookeeper-session.js';

class Late extends Error {}

/**
 * Runs `work` in a session of its own. The native client is loaded in this process, so only short-lived processes may do this.
 *
 * @param deadlineMs for all of it
 * @throws OperatorError in words: no server is in reach, the credentials are refused, no answer by the deadline
 */
export async function withZooKeeper<T>(
  settings: SessionSettings,
  deadlineMs: number,
  work: (client: ZooKeeperClient) => Promise<T>,
): Promise<T> {
  const connect = await loadClient();
  const target = parseConnectString(settings.servers);
  if (target === undefined) throw new OperatorError(`registry.zookeeper.servers: "${settings.servers}" is malformed`);
  let unreached: (error: OperatorError) => void = () => {};
  const refused = new Promise<never>((_, reject) => {
    unreached = reject;
  });
  const reach = await reachServers(target, settings.tls, (why) => {
    unreached(new OperatorError(`no session with ZooKeeper: ${why}`));
  });
  if (reach.connect === undefined) throw new OperatorError(`no session with ZooKeeper: ${reach.problems()}`);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late()), deadlineMs);
  });
  const session = openSession(connect, { ...settings, servers: reach.connect });
  let connected = false;
  const done = session.connected.then(() => {
    connected = true;
    return work(session.client);
  });
  // Nobody waits for the promises that lose the race.
  for (const promise of [late, refused, session.ended, done]) promise.catch(() => {});
  try {
    return await Promise.race([done, session.ended, refused, late]);
  } catch (error) {
    if (!(error instanceof Late)) throw error;
    const seconds = deadlineMs / 1000;
    if (connected)
      throw new OperatorError(`ZooKeeper did not answer in ${seconds} s; what was asked may have been done`);
    throw new OperatorError(`no session with ZooKeeper in ${seconds} s: ${await reach.why()}`);
  } finally {
    clearTimeout(timer);
    await session.close();
    await reach.close();
  }
}

function openSession(connect: ConnectClient, { servers, sessionTimeout, credentials }: SessionSettings) {
  let onConnect: () => void = () => {};
  let onEnd: (error: Error) => void = () => {};
  const connected = new Promise<void>((resolve) => {
    onConnect = resolve;
  });
  const ended = new Promise<never>((_, reject) => {
    onEnd = reject;
  });
  const events: ClientEvents = {
    connect: () => onConnect(),
    connecting() {},
    close(reason) {
      const words = { expired: 'the session expired', closed: 'the session was closed' } as const;
      const refused = 'ZooKeeper refused registry.zookeeper.credentials';
      onEnd(new OperatorError(reason === 'auth_failed' ? refused : `ZooKeeper: ${words[reason]}`));
    },
    watch() {},
  };
  const client = connect({ connect: servers, timeout: sessionTimeout, digest: credentials }, events);
  const close = () =>
    new Promise<void>((resolve) => {
      // The native object must not be freed under the event that it is just delivering.
      setImmediate(() => {
        client.close();
        resolve();
      });
    });
  return { client, connected, ended, close };
}
