// The door to ZooKeeper for all of the fleet: one session, direct in a command, by way of the registry process in an edge.

import type { Config } from '../config-schema.js';
import { DirectSession } from '../registry/coordination/direct-session.js';
import type { RegistryLogger } from '../registry/logger.js';
import { tlsOf } from '../registry/tls/connection.js';
import { loadClient } from '../registry/zookeeper-client.js';

export type {
  CreateMode,
  FleetErrorKind,
  FleetNode,
  FleetSession,
  FleetState,
  WatchKind,
} from '../registry/coordination/session.js';
export { FleetError, maxDataBytes } from '../registry/coordination/session.js';

/**
 * A session of this process's own, for commands. It loads the native client, which may abort the process: an edge does not use
 * it.
 *
 * @throws OperatorError where the client is not installed
 */
export async function openSession(config: Config, logger: RegistryLogger): Promise<DirectSession> {
  const { servers, sessionTimeout, credentials, tls } = config.registry.zookeeper;
  const settings = { servers, sessionTimeout, credentials, tls: tlsOf(tls), root: config.fleet.root };
  return new DirectSession(await loadClient(), settings, logger);
}
