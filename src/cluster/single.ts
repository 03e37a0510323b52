// The edge in one process: control plane and data plane side by side, the registry's client in a process of its own.

import { changes } from '../config/changes.js';
import type { Config } from '../config-schema.js';
import { createControlPlane } from '../control-plane.js';
import { createDataPlane } from '../data-plane.js';
import type { Logger } from '../log.js';
import { createMetrics } from '../metrics.js';
import type { Edge, RegistrySource } from './edge.js';
import { surviveRejections } from './rejections.js';

/** Rejects when a listener cannot be opened; nothing is left behind then. */
export async function startEdge(config: Config, logger: Logger, source: RegistrySource): Promise<Edge> {
  const metrics = createMetrics();
  const stopSurviving = surviveRejections(logger, metrics);
  let current = config;
  let draining = false;
  const dataPlane = createDataPlane(config, logger, metrics);
  const controlPlane = createControlPlane({
    config,
    logger,
    metrics,
    ...source,
    publish: (update) => {
      if (!dataPlane.accept(update)) dataPlane.accept(controlPlane.full());
    },
    queries: {
      draining: () => draining,
      explain: async (channel) => dataPlane.explain(channel),
      relays: async () => dataPlane.relays(),
      hls: async () => dataPlane.describeHls(),
      metrics: async () => {
        dataPlane.collect();
        return { type: metrics.registry.contentType, text: await metrics.registry.metrics() };
      },
    },
  });
  const close = async () => {
    await Promise.all([controlPlane.close(), dataPlane.close()]);
    stopSurviving();
  };
  try {
    const adminAddress = await controlPlane.start();
    const dataAddress = await dataPlane.listen();
    dataPlane.setOwnListeners([adminAddress, dataAddress]);
    return {
      dataAddress,
      adminAddress,
      ready: () => controlPlane.ready(),
      reload: async (next) => {
        const { live, workers, restart } = changes(current, next);
        const later = [...workers, ...restart];
        if (later.length > 0) logger.warn({ settings: later }, 'these settings take effect at the next start');
        if (live.length > 0) dataPlane.configure(next);
        current = next;
        logger.info({ settings: live }, 'settings in effect');
      },
      settingsRefused: (refused) => metrics.settingsRefused.set(refused ? 1 : 0),
      drain: async () => {
        draining = true;
        await dataPlane.drain();
        await controlPlane.close();
        stopSurviving();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
