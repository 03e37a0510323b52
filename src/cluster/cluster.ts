// The edge in several processes: control plane, admin and supervisor here, the data plane in workers.

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { changes } from '../config/changes.js';
import type { Config } from '../config-schema.js';
import { createControlPlane } from '../control-plane.js';
import { createEdgeName, type DataPlaneConfig, machineSecret } from '../data-plane.js';
import type { Logger } from '../log.js';
import { createMetrics } from '../metrics.js';
import type { Edge, RegistrySource } from './edge.js';
import { openListeningSocket } from './listening-socket.js';
import { surviveRejections } from './rejections.js';
import { joinHls, joinRelays } from './reports.js';
import { Supervisor } from './supervisor.js';
import type { Machine } from './watch.js';

export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  const memory = constrained > 0 && constrained < total ? constrained : total;
  return { cores: availableParallelism(), memory };
}

/** Rejects when a listener cannot be opened; nothing is left behind then. */
export async function startCluster(
  config: Config,
  logger: Logger,
  source: RegistrySource,
  machine: Machine = thisMachine(),
): Promise<Edge> {
  let current = config;
  let draining = false;
  let adminAddress: AddressInfo | undefined;
  const metrics = createMetrics();
  const socket = await openListeningSocket(config.listen);
  const socketFolder = await mkdtemp(join(tmpdir(), 'weir-'));
  const stopSurviving = surviveRejections(logger, metrics);
  const supervisor = new Supervisor({
    config: forWorkers(config),
    socket,
    logger,
    metrics,
    machine,
    edgeName: createEdgeName(),
    machineSecret: machineSecret(config.hls, logger),
    socketFolder,
    full: () => controlPlane.full(),
    ownListeners: () => (adminAddress === undefined ? [] : [adminAddress]),
  });
  const controlPlane = createControlPlane({
    config,
    logger,
    metrics,
    ...source,
    publish: (update) => supervisor.publish(update),
    queries: {
      draining: () => draining,
      explain: async (channel) => supervisor.askOwner(channel, { about: 'explain', channel }),
      hls: async () => joinHls(await supervisor.askAll({ about: 'hls' })),
      relays: async () => joinRelays(await supervisor.askAll({ about: 'relays' })),
      metrics: () => supervisor.metrics(),
    },
  });
  const close = async () => {
    await Promise.all([supervisor.close(), controlPlane.close()]);
    await rm(socketFolder, { recursive: true, force: true });
    stopSurviving();
  };
  const reload = async (next: Config, renew: boolean): Promise<void> => {
    const { live, workers, restart } = changes(current, next);
    if (restart.length > 0) logger.warn({ settings: restart }, 'these settings take effect at the next start');
    if (next.workers === 0) logger.warn('workers: 0 takes effect at the next start');
    if (renew || workers.length > 0) {
      const moved = workers.includes('listen') ? await openListeningSocket(next.listen) : undefined;
      await supervisor.replaceAll(forWorkers(next), moved);
    } else if (live.length > 0) await supervisor.configure(forWorkers(next));
    if (live.includes('log.level')) logger.level = next.log.level;
    current = next;
    const outcome = renew || workers.length > 0 ? 'new workers' : live.length > 0 ? 'in place' : 'nothing to do';
    logger.info({ settings: [...workers, ...live], outcome }, 'settings in effect');
  };
  let reloading: Promise<void> = Promise.resolve();
  try {
    adminAddress = await controlPlane.start();
    await supervisor.start();
    return {
      dataAddress: socket.address,
      adminAddress,
      ready: async () => {
        await controlPlane.ready();
        await supervisor.heard();
      },
      reload: (next, renew) => {
        const done = reloading.then(() => reload(next, renew));
        reloading = done.catch(() => undefined);
        return done;
      },
      settingsRefused: (refused) => metrics.settingsRefused.set(refused ? 1 : 0),
      drain: async () => {
        draining = true;
        await supervisor.drain();
        await close();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function forWorkers({ registry: _registry, admin: _admin, ...rest }: Config): DataPlaneConfig {
  return rest;
}
