// The edge in several processes: control plane, admin and supervisor here, the data plane in workers.

import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config-schema.js';
import { createControlPlane } from '../control-plane.js';
import type { DataPlaneConfig } from '../data-plane/contract.js';
import { createEdgeIdentity } from '../data-plane/identity.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Logger } from '../log.js';
import { createMetrics } from '../metrics.js';
import type { Edge, RegistrySource } from './edge.js';
import { fleetView, joinFleet } from './fleet-member.js';
import { forkWorker } from './fork-worker.js';
import { type ListeningSocket, openListeningSocket } from './listening-socket.js';
import type { Machine } from './machine.js';
import { planMemory } from './memory.js';
import { createPlans, planName } from './plan-member.js';
import { surviveRejections } from './rejections.js';
import { Reloads } from './reloads.js';
import { joins, viewsBy } from './reports.js';
import { ShutdownDelay } from './shutdown-delay.js';
import { pause } from './slot.js';
import { makeSocketFolder } from './socket-folder.js';
import { Supervisor } from './supervisor.js';
import { workerCount } from './watch.js';

/** Rejects when a listener cannot be opened; nothing is left behind then. */
export async function startCluster(
  config: Config,
  logger: Logger,
  source: RegistrySource,
  machine: Machine,
): Promise<Edge> {
  const socketFolder = await makeSocketFolder();
  let socket: ListeningSocket | undefined;
  let edgeSocket: ListeningSocket | undefined;
  try {
    socket = await openListeningSocket(config.listen);
    if (config.fleet.hub) edgeSocket = await openListeningSocket(config.fleet.peerListen);
  } catch (error) {
    socket?.close();
    await rm(socketFolder, { recursive: true, force: true });
    throw error;
  }
  let adminAddress: AddressInfo | undefined;
  const metrics = createMetrics();
  const settle = surviveRejections(logger, metrics);
  const delay = new ShutdownDelay();
  const forWorkers = (settings: Config): DataPlaneConfig => fitting(settings, machine, logger);
  const identity = createEdgeIdentity(config.hls, logger);
  const plans = createPlans(config, source.registry.fleet, {
    edge: planName({ config, identity }),
    metrics,
    logger,
    signWith: (secret) => supervisor.plans.signWith(secret),
  });
  const supervisor: Supervisor = new Supervisor({
    config: forWorkers(config),
    socket,
    edgeSocket,
    logger,
    metrics,
    machine,
    identity,
    socketFolder,
    plans: plans?.board,
    snapshot: () => controlPlane.snapshot(),
    ownListeners: () => [adminAddress, edgeSocket?.address].filter((address) => address !== undefined),
    fork: forkWorker,
    now: () => performance.now(),
    random: Math.random,
    pause,
  });
  let fleet: Fleet | undefined;
  const controlPlane = createControlPlane({
    config,
    logger,
    metrics,
    ...source,
    published: () => supervisor.each((worker) => worker.published()),
    probed: (findings) => supervisor.each((worker) => worker.send({ kind: 'probed', findings })),
    queries: {
      draining: () => delay.begun || fleet?.isDrained === true,
      accepting: () => supervisor.accepting,
      explain: async (channel) => supervisor.askOwner(channel, { about: 'explain', channel }),
      views: {
        ...viewsBy(async (name) => joins[name](await supervisor.askAll({ about: name }))),
        fleet: () => fleetView(config, fleet),
      },
      metrics: () => {
        fleet?.collect();
        metrics.hlsPlans.set(plans?.board.size ?? 0);
        return supervisor.metrics();
      },
    },
  });
  const reloads = new Reloads({
    config,
    logger,
    metrics,
    // Another kind of edge altogether.
    waits: (key, next) => key === 'workers' && next.workers === 0,
    apply: async ({ next, live, workers, renew }) => {
      if (renew || workers.length > 0) {
        const moved = workers.includes('listen') ? await openListeningSocket(next.listen) : undefined;
        await supervisor.replaceAll(forWorkers(next), moved);
      } else if (live.length > 0) await supervisor.configure(forWorkers(next));
      if (live.includes('log.level')) logger.level = next.log.level;
    },
  });
  const close = async () => {
    delay.cut();
    fleet?.close();
    plans?.close();
    await Promise.all([supervisor.close(), controlPlane.close()]);
    await rm(socketFolder, { recursive: true, force: true });
    settle();
  };
  try {
    plans?.open();
    const admin = await controlPlane.start();
    adminAddress = admin;
    await supervisor.start();
    fleet = joinFleet({
      config,
      session: controlPlane.fleet,
      port: socket.address.port,
      vitals: () => supervisor.fleet.vitals(),
      graceMs: () => reloads.inEffect.shutdown.grace,
      obey: (orders) => supervisor.fleet.set(orders),
      logger,
      metrics,
    });
    return {
      dataAddress: socket.address,
      adminAddress: admin,
      fleet,
      ready: async () => {
        await controlPlane.ready();
        await supervisor.delivered();
      },
      reload: (next, renew) => reloads.reload(next, renew),
      settingsRefused: () => reloads.refused(),
      drain: async () => {
        fleet?.leave();
        await delay.pass(reloads.inEffect.shutdown, logger);
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

/** Nothing of the registry and its secrets, and no more memory than there is. */
function fitting(
  { registry: _registry, admin: _admin, ...settings }: Config,
  machine: Machine,
  logger: Logger,
): DataPlaneConfig {
  const { cluster, hls, relay, workers } = settings;
  const asked = {
    'hls.cacheSize': hls.cacheSize,
    'hls.sessionMemory': hls.sessionMemory,
    'relay.viewerBuffer.total': relay.viewerBuffer.total,
  };
  const plan = planMemory(
    { memoryLimit: cluster.memoryLimit, budgets: asked, onHeap: ['hls.sessionMemory'] },
    workerCount(workers, machine),
    machine,
  );
  if (plan.notice !== undefined) logger[plan.notice.level](plan.notice.text);
  const {
    'hls.cacheSize': cacheSize,
    'hls.sessionMemory': sessionMemory,
    'relay.viewerBuffer.total': total,
  } = plan.budgets;
  return {
    ...settings,
    hls: { ...hls, cacheSize, sessionMemory },
    relay: { ...relay, viewerBuffer: { ...relay.viewerBuffer, total } },
    cluster: { ...cluster, memoryLimit: plan.limitBytes },
  };
}
