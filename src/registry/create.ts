// Creates the registry that the settings name.

import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import { EmbeddedRegistry } from './embedded.js';
import { FileRegistry } from './file-registry.js';
import type { RegistryLogger } from './logger.js';
import type { Registry } from './registry.js';
import { createProcessRegistry } from './registry-process.js';
import { tlsOf } from './tls/connection.js';
import { treesOf } from './trees.js';

/**
 * `file`: read here. `zookeeper`: followed by a process of its own. `embedded`: an EmbeddedRegistry, whose leases the admin API writes.
 * Nothing runs before `run`.
 *
 * @param fleetRoot the node below which edges keep what they share; undefined: no session of the fleet is opened
 */
export function createRegistry(settings: Config['registry'], logger: Logger, fleetRoot?: string): Registry {
  if (settings.kind === 'embedded') return createEmbeddedRegistry(settings);
  if (settings.kind === 'file') {
    const { path, origins } = settings.file;
    const limits = { endpointsPerChannel: settings.maxEndpointsPerChannel };
    return new FileRegistry({ path, origins, limits }, registryLogger(logger));
  }
  const { servers, sessionTimeout, maxSessions, readDepth, reconcileInterval, credentials, maxEndpoints } =
    settings.zookeeper;
  const trees = treesOf(settings.zookeeper);
  const limits = { endpoints: maxEndpoints, endpointsPerChannel: settings.maxEndpointsPerChannel };
  const tls = tlsOf(settings.zookeeper.tls);
  const all = { servers, trees, sessionTimeout, maxSessions, readDepth, reconcileInterval, credentials, tls, limits };
  return createProcessRegistry(all, registryLogger(logger), { fleetRoot });
}

/** The registry of leases in memory, with the bounds of the settings. */
export function createEmbeddedRegistry({ embedded, maxEndpointsPerChannel }: Config['registry']): EmbeddedRegistry {
  const { maxTtl, maxEndpoints } = embedded;
  return new EmbeddedRegistry({ maxTtl, maxEndpoints, maxEndpointsPerChannel });
}

/** A logger as the registry process uses it. */
export function registryLogger(logger: Logger): RegistryLogger {
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
