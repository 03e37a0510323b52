// Starts an edge with the registry and the processes that its settings name.

import { handleLeases } from '../admin/leases.js';
import { startCluster } from '../cluster/cluster.js';
import type { Edge, RegistrySource } from '../cluster/edge.js';
import { limitHeapGrowth } from '../cluster/heap-growth.js';
import { openFilesWarning, thisMachine } from '../cluster/machine.js';
import { startEdge } from '../cluster/single.js';
import { workerCount } from '../cluster/watch.js';
import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import { createEmbeddedRegistry, createRegistry, registryLogger } from '../registry/create.js';
import { KeptLeases } from '../registry/kept-leases.js';

export type { Edge } from '../cluster/edge.js';

function sourceOf({ registry: settings, fleet }: Config, logger: Logger): RegistrySource {
  if (settings.kind !== 'embedded') {
    const fleetRoot = fleet.enabled === false ? undefined : fleet.root;
    return { registry: createRegistry(settings, logger, fleetRoot), adminExtensions: [] };
  }
  const leases = createEmbeddedRegistry(settings);
  const { stateFile, token } = settings.embedded;
  const registry = stateFile === undefined ? leases : new KeptLeases(leases, stateFile, registryLogger(logger));
  return { registry, adminExtensions: [handleLeases(leases, token)] };
}

/** Rejects when a listener cannot be opened; nothing is left behind then. */
export function startConfiguredEdge(config: Config, logger: Logger): Promise<Edge> {
  const source = sourceOf(config, logger);
  const machine = thisMachine();
  const warning = openFilesWarning(config.http.maxConnections, machine.openFiles);
  if (warning !== undefined) logger.warn(warning);
  const inOneProcess = workerCount(config.workers, machine) === 0;
  if (!inOneProcess) return startCluster(config, logger, source, machine);
  limitHeapGrowth();
  return startEdge(config, logger, source);
}
