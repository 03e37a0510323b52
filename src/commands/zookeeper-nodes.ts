// A session for the commands that work on nodes of ZooKeeper.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { tlsOf } from '../registry/tls/connection.js';
import type { ZooKeeperClient } from '../registry/zookeeper-client.js';
import { withZooKeeper } from '../registry/zookeeper-once.js';

/** Milliseconds for a command from connecting to its last answer. */
const deadlineMs = 20_000;

/** Runs `work` with a session on the ZooKeeper of the settings. */
export async function onZooKeeper<T>(config: Config, work: (client: ZooKeeperClient) => Promise<T>): Promise<T> {
  const { kind, zookeeper } = config.registry;
  if (kind !== 'zookeeper') {
    throw new OperatorError(
      `this is about nodes of ZooKeeper, and registry.kind is ${kind}: leases of the embedded registry are written by ` +
        '`weir register` or the admin API, a file of endpoints by any editor',
    );
  }
  const { servers, sessionTimeout, credentials, tls } = zookeeper;
  return await withZooKeeper({ servers, sessionTimeout, credentials, tls: tlsOf(tls) }, deadlineMs, work);
}
