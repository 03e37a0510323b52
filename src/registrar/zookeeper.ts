// Registers an endpoint in ZooKeeper: a session, and the node that it owns.

import { OperatorError } from '../errors.js';
import type { RegistryLogger } from '../registry/logger.js';
import { loadClient } from '../registry/zookeeper-client.js';
import { keepSession, type SessionSettings } from '../registry/zookeeper-session.js';
import type { RegisteredEndpoint } from './http.js';
import { type NodeSettings, RegisteredNode } from './registered-node.js';
import type { Registration } from './registration.js';

/** Resolves when the node was made. */
export async function registerInZooKeeper(
  settings: NodeSettings & SessionSettings,
  endpoint: RegisteredEndpoint,
  logger: RegistryLogger,
  signal?: AbortSignal,
): Promise<Registration> {
  const connect = await loadClient();
  const node = new RegisteredNode(settings, endpoint, logger);
  const stop = new AbortController();
  const session = keepSession(
    connect,
    settings,
    {
      connected: (client, fresh) => node.attach(client, fresh),
      disconnected: () => node.detach(),
      watch: (_, path) => node.touched(path),
      changed: (state) => {
        if (state === 'auth_failed')
          node.refused(new OperatorError('ZooKeeper refused registry.zookeeper.credentials'));
      },
    },
    logger,
    stop.signal,
  );
  const close = async () => {
    // A session that ends takes its ephemeral nodes along.
    node.end();
    stop.abort();
    await session;
  };
  const onAbort = () => node.refused(new Error('given up before it was registered'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    await Promise.race([node.made, session]);
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return {
    get path() {
      return node.path;
    },
    update: (values) => node.update(values),
    close,
  };
}
