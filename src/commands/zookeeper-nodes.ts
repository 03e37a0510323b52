// What the commands that write nodes of ZooKeeper share: where a channel stands, and a session to do it in.

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

/** The path of a channel's node, or of one of its endpoints. */
export function nodePath({ registry }: Config, channel: string, endpoint: string | undefined): string {
  const folder = `${registry.zookeeper.root}/${channel}`;
  return endpoint === undefined ? folder : `${folder}/${endpoint}`;
}

/** The path and all above it, from the first. */
export function withAncestors(path: string): string[] {
  const paths: string[] = [];
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) paths.push(path.slice(0, end));
  return [...paths, path];
}
