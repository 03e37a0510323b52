// The edge in one process: control plane and data plane side by side, the registry's client in a process of its own.

import type { Config } from '../config-schema.js';
import { createControlPlane } from '../control-plane.js';
import type { DataPlane } from '../data-plane/contract.js';
import { createDataPlane } from '../data-plane/data-plane.js';
import { aloneIdentity } from '../data-plane/identity.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Logger } from '../log.js';
import { createMetrics } from '../metrics.js';
import { SnapshotFollower } from '../snapshot/follower.js';
import type { Edge, RegistrySource } from './edge.js';
import { fleetView, joinFleet, vitalsOf } from './fleet-member.js';
import { createPlans, deskOf, planName } from './plan-member.js';
import { surviveRejections } from './rejections.js';
import { Reloads } from './reloads.js';
import { viewsBy } from './reports.js';
import { ShutdownDelay } from './shutdown-delay.js';

/** Rejects when a listener cannot be opened; nothing is left behind then. */
export async function startEdge(config: Config, logger: Logger, source: RegistrySource): Promise<Edge> {
  const metrics = createMetrics();
  const settle = surviveRejections(logger, metrics);
  const delay = new ShutdownDelay();
  let accepting = false;
  let fleet: Fleet | undefined;
  const identity = aloneIdentity(config.hls, logger);
  const edge = planName({ config, identity });
  const plans = createPlans(config, source.registry.fleet, {
    edge,
    metrics,
    logger,
    signWith: (secret) => dataPlane.signWith(secret),
  });
  const desk = plans && deskOf(plans.board, edge);
  const dataPlane: DataPlane = createDataPlane(config, logger, metrics, identity, desk);
  const controlPlane = createControlPlane({
    config,
    logger,
    metrics,
    ...source,
    published: () => follower.advance(),
    probed: (findings) => dataPlane.probed(findings),
    queries: {
      draining: () => delay.begun || fleet?.isDrained === true,
      accepting: () => accepting,
      explain: async (channel) => dataPlane.explain(channel),
      views: { ...viewsBy(async (name) => dataPlane[name]()), fleet: () => fleetView(config, fleet) },
      metrics: async () => {
        dataPlane.collect();
        fleet?.collect();
        metrics.hlsPlans.set(plans?.board.size ?? 0);
        return { type: metrics.registry.contentType, text: await metrics.registry.metrics() };
      },
    },
  });
  const follower = new SnapshotFollower(controlPlane.snapshot, {
    send: (update, isLast, taken) => {
      dataPlane.accept(update);
      if (isLast) taken();
      else setImmediate(taken);
    },
  });
  const reloads = new Reloads({
    config,
    logger,
    metrics,
    // There are no workers that could be replaced.
    waits: (key, _next, takesWorkers) => takesWorkers || key === 'workers',
    apply: async ({ next, live }) => {
      if (live.length > 0) dataPlane.configure(next);
    },
  });
  const close = async () => {
    delay.cut();
    fleet?.close();
    follower.close();
    plans?.close();
    await Promise.all([controlPlane.close(), dataPlane.close()]);
    settle();
  };
  try {
    plans?.open();
    const adminAddress = await controlPlane.start();
    const dataAddress = await dataPlane.listen();
    const edges = config.fleet.hub ? await dataPlane.listenForEdges(config.fleet.peerListen) : undefined;
    dataPlane.setOwnListeners([adminAddress, dataAddress, ...(edges === undefined ? [] : [edges])]);
    accepting = true;
    fleet = joinFleet({
      config,
      session: controlPlane.fleet,
      port: dataAddress.port,
      vitals: vitalsOf(dataPlane, metrics),
      graceMs: () => reloads.inEffect.shutdown.grace,
      obey: (orders) => dataPlane.setFleet(orders),
      logger,
      metrics,
    });
    return {
      dataAddress,
      adminAddress,
      fleet,
      ready: async () => {
        await controlPlane.ready();
        await follower.settled();
      },
      reload: (next) => reloads.reload(next, false),
      settingsRefused: () => reloads.refused(),
      drain: async () => {
        fleet?.leave();
        await delay.pass(reloads.inEffect.shutdown, logger);
        accepting = false;
        fleet?.close();
        await dataPlane.drain();
        plans?.close();
        await controlPlane.close();
        settle();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
