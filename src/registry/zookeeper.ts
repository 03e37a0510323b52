// The registry in ZooKeeper, inside this process. It loads the native client, which may abort the process: see
// registry-process.ts.

import { setMaxListeners } from 'node:events';
import { parseConnectString } from '../net-address.js';
import { type RegistryLogger, withFields } from './logger.js';
import type { Registry, RegistrySink } from './registry.js';
import type { TreeLimits } from './tree-room.js';
import { type TreeReader, TreeWatch } from './tree-watch.js';
import { compileTrees, type TreeSetting } from './trees.js';
import { type ConnectClient, loadClient, type WatchEvent } from './zookeeper-client.js';
import { keepSession, type SessionSettings } from './zookeeper-session.js';

export interface ZooKeeperSettings extends SessionSettings {
  /** Where channels and endpoints are registered. */
  readonly trees: readonly TreeSetting[];
  /** Bound on the sessions that watch. */
  readonly maxSessions: number;
  /** Reads under way at once during a full read. */
  readonly readDepth: number;
  /** ms between two reads of all lists and some data while connected, ± 10 %, at least 1 s; 0: none. */
  readonly reconcileInterval: number;
  readonly limits: TreeLimits;
}

/** Reading more often would be a load on ZooKeeper. */
const minReconcileIntervalMs = 1_000;

/** Time until the next such read. Jitter keeps edges from reading at the same time. Undefined: there is none. */
export function reconcileDelayMs(intervalMs: number, random: () => number): number | undefined {
  return intervalMs === 0 ? undefined : Math.max(intervalMs, minReconcileIntervalMs) * (0.9 + random() * 0.2);
}

/** A registry that follows ZooKeeper in this process. It connects when it is run. */
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
  const { readDepth, sessionTimeout, limits, maxSessions } = settings;
  const kept: Promise<void>[] = [];
  const connected = new Set<number>();
  const tellSessions = () => sink.note({ kind: 'sessions', open: connected.size, wanted: kept.length });
  // Each session listens to the signal.
  setMaxListeners(maxSessions + 10, signal);
  /** Opens one more session, which lives until the end. */
  const openSession = (session: number) => {
    const own = session === 0 ? logger : withFields(logger, { session });
    const handler = {
      connected: (client: TreeReader, fresh: boolean) => {
        connected.add(session);
        tellSessions();
        tree.connected(session, client, fresh);
      },
      // When the server would refuse the packet that re-arms all watches, a new session is better.
      disconnected: () => {
        connected.delete(session);
        tellSessions();
        return tree.disconnected(session);
      },
      watch: (event: WatchEvent, path: string) => tree.event(session, event, path),
      changed: (state: string) => sink.note({ kind: 'session', state }),
    };
    kept.push(keepSession(connect, settings, handler, own, signal));
    tellSessions();
  };
  const options = {
    trees: compileTrees(settings.trees),
    readDepth,
    chrootBytes: Buffer.byteLength(parseConnectString(settings.servers)?.chroot ?? ''),
    known,
    settlingMs: 2 * sessionTimeout,
    limits,
    maxSessions,
    openSession,
    now: () => performance.timeOrigin + performance.now(),
    random: Math.random,
  };
  const tree = new TreeWatch(options, sink);
  let reconcileTimer: NodeJS.Timeout | undefined;
  const reconcileLater = () => {
    const delayMs = reconcileDelayMs(settings.reconcileInterval, Math.random);
    if (delayMs === undefined) return;
    reconcileTimer = setTimeout(() => {
      tree.reconcile();
      reconcileLater();
    }, delayMs);
  };
  try {
    openSession(0);
    reconcileLater();
    // More are added meanwhile. They end with the signal; the first one rejects when no retry helps.
    for (let session = 0; session < kept.length; session++) await kept[session];
  } finally {
    clearTimeout(reconcileTimer);
    tree.release();
  }
}
