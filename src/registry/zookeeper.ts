// The registry in ZooKeeper, in this process. It loads a native client that may abort the process: see registry-process.ts.

import { parseConnectString } from '../net-address.js';
import type { RegistryLogger } from './logger.js';
import type { Registry, RegistrySink } from './registry.js';
import type { TreeLimits } from './tree.js';
import { TreeWatch } from './tree-watch.js';
import { type ConnectClient, loadClient } from './zookeeper-client.js';
import { keepSession, type SessionSettings } from './zookeeper-session.js';

export interface ZooKeeperSettings extends SessionSettings {
  /** The node whose children are the channels. */
  readonly root: string;
  /** Reads under way at once during a full read. */
  readonly readDepth: number;
  /** Milliseconds between two full reads while connected, give or take a tenth, at least a second; 0: none. */
  readonly reconcileInterval: number;
  readonly limits: TreeLimits;
}

/** Milliseconds: what is read all the time is no check but a load on ZooKeeper. */
const leastReconcileInterval = 1_000;

/** Until the next full read; jitter keeps a fleet from reading in step. Undefined: there is none. */
export function reconcileDelay(interval: number, random: () => number): number | undefined {
  return interval === 0 ? undefined : Math.max(interval, leastReconcileInterval) * (0.9 + random() * 0.2);
}

export function createZooKeeperRegistry(settings: ZooKeeperSettings, logger: RegistryLogger): Registry {
  return {
    async run(sink, signal, known = false) {
      const connect = await loadClient();
      await follow(connect, settings, sink, logger, known, signal);
    },
  };
}

async function follow(
  connect: ConnectClient,
  settings: ZooKeeperSettings,
  sink: RegistrySink,
  logger: RegistryLogger,
  known: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { root, readDepth, reconcileInterval, sessionTimeout, limits } = settings;
  const chrootBytes = Buffer.byteLength(parseConnectString(settings.servers)?.chroot ?? '');
  const now = () => performance.timeOrigin + performance.now();
  const options = { root, readDepth, chrootBytes, known, settling: 2 * sessionTimeout, limits, now };
  const tree = new TreeWatch(options, sink);

  let reconcileTimer: NodeJS.Timeout | undefined;
  const reconcileLater = () => {
    clearTimeout(reconcileTimer);
    const delay = reconcileDelay(reconcileInterval, Math.random);
    if (delay === undefined) return;
    reconcileTimer = setTimeout(() => {
      tree.reconcile();
      reconcileLater();
    }, delay);
  };
  const handler = {
    connected: (client: Parameters<TreeWatch['start']>[0]) => {
      tree.start(client);
      reconcileLater();
    },
    disconnected: () => {
      tree.stop();
      clearTimeout(reconcileTimer);
      // The server would refuse the one packet that re-arms all watches, again and again.
      return tree.beyondLimit;
    },
    watch: tree.event.bind(tree),
    changed: (state: string) => sink.note({ kind: 'session', state }),
  };
  try {
    await keepSession(connect, settings, handler, logger, signal);
  } finally {
    clearTimeout(reconcileTimer);
    tree.release();
  }
}
