// Wires registry -> snapshot builder -> publisher, and admin.

import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type AdminExtension, type AdminQueries, AdminServer, type RegistryReach } from './admin/server.js';
import type { Config } from './config-schema.js';
import type { Election } from './fleet/election.js';
import type { ProbeFinding } from './fleet/health/record.js';
import { startHealth } from './fleet/health/start.js';
import { noFleet } from './fleet/no-fleet.js';
import type { FleetSession } from './fleet/session.js';
import { standForSite } from './fleet/site-leader.js';
import { type Logger, seldom } from './log.js';
import type { Metrics } from './metrics.js';
import type { Snapshot, SnapshotState, Update } from './model.js';
import { parseListenAddress } from './net-address.js';
import { version } from './package.js';
import { RegistryNotes } from './registry/notes.js';
import type { Registry } from './registry/registry.js';
import { treesOf } from './registry/trees.js';
import { SnapshotBuilder } from './snapshot/builder.js';
import { Freshness } from './snapshot/freshness.js';
import { readSnapshotFile, SnapshotFile, type Source } from './snapshot/snapshot-file.js';
import { SnapshotStore } from './snapshot/store.js';
import { changesMembers, endpointsOf, type RegistrySnapshot } from './snapshot/update.js';

export interface ControlPlane {
  /** Reads the snapshot file, starts to follow the registry and to serve admin; resolves with the admin address. */
  start(): Promise<AddressInfo>;
  /** What is published now. */
  snapshot(): RegistrySnapshot;
  /** What edges agree by. It is there without a fleet too, and then never connected. */
  readonly fleet: FleetSession;
  /** Resolves when a picture is there, live or stale; rejects when the registry refuses for good. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly registry: Registry;
  /** Further paths of the admin API, such as the leases of the embedded registry. */
  readonly adminExtensions: readonly AdminExtension[];
  /** What the leader of the site found of servers; see `SiteHealth`. */
  readonly probed: (findings: readonly ProbeFinding[]) => void;
  /** The snapshot is another one. */
  readonly published: () => void;
  readonly queries: Omit<AdminQueries, 'snapshot' | 'registry' | 'sessions'>;
}

const states: readonly SnapshotState[] = ['pending', 'live', 'stale'];
const reaches: Readonly<Record<SnapshotState, RegistryReach>> = {
  pending: 'awaited',
  live: 'followed',
  stale: 'out_of_reach',
};

/** The control plane of an edge. It follows nothing before `start`, and holds listener and registry until `close`. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { config, logger, metrics, registry } = options;
  const store = new SnapshotStore();
  const stop = new AbortController();
  const { promise: ready, resolve: isReady, reject: isImpossible } = withResolvers();
  const freshness = new Freshness();
  store.subscribe((snapshot) => freshness.changed(snapshot.state));
  const { snapshotFile: path } = config.registry;
  const source = sourceOf(config.registry);
  const file =
    path === undefined
      ? undefined
      : new SnapshotFile({
          path,
          source,
          snapshot: () => {
            const { knownAt, live } = freshness;
            return { endpoints: endpointsOf(store.current), knownAt, live };
          },
          failed: (err) => logger.error({ err, path }, 'snapshot file could not be written'),
        });

  const publish = (update: Update) => {
    const before = store.current;
    store.accept(update);
    const { state } = store.current;
    if (state !== before.state) tellState(before.state, store.current, logger);
    if (state !== 'pending') isReady();
    if (state === 'live') file?.changed(changesMembers(before, update));
    options.published();
  };
  const notes = new RegistryNotes(logger, metrics);
  // One that takes a second is published in dozens of pieces.
  const sayMassDrop = seldom((fields: object) =>
    logger.error(fields, 'most endpoints vanished at once: kept as a last resort'),
  );
  const builder = new SnapshotBuilder({
    publish,
    note: (note) => notes.take(note),
    eventDelay: (milliseconds) => metrics.eventDelay.observe(milliseconds / 1000),
    massDropped: (endpoints) => {
      metrics.massDrops.inc();
      sayMassDrop({ endpoints, keepMs: config.registry.massDrop.keep });
    },
    massDrop: config.registry.massDrop,
    now: () => performance.now(),
  });
  metrics.buildInfo.set({ version, node: process.version }, 1);

  const admin = new AdminServer(
    {
      ...options.queries,
      snapshot: () => store.current,
      sessions: () => notes.sessions,
      registry: () => (givenUp ? 'given_up' : reaches[store.current.state]),
      metrics: () => {
        setGauges(metrics, store.current, freshness.ageSeconds());
        metrics.fleetLeader.set(leadership?.isLeader() ? 1 : 0);
        return options.queries.metrics();
      },
    },
    options.adminExtensions,
    [...config.admin.hosts, hostname(), ...listenName(config.admin.listen)],
    adminConnections(config.registry),
    logger,
  );
  /** A file that cannot be read costs its contents, not the start. */
  const restore = async (from: string) => {
    try {
      const saved = await readSnapshotFile(from, source);
      if (saved === undefined || saved.endpoints.length === 0) return;
      builder.restore(saved.endpoints);
      freshness.restored(saved.savedAt);
      logger.info(
        { path: from, endpoints: saved.endpoints.length, savedAt: new Date(saved.savedAt).toISOString() },
        'serving the last known snapshot until the registry is read',
      );
    } catch (err) {
      logger.error({ err, path: from }, 'snapshot file ignored');
    }
  };
  let leadership: Election | undefined;
  let health: ReturnType<typeof startHealth>;
  let running: Promise<void> = Promise.resolve();
  let givenUp = false;
  metrics.registryGivenUp.set(0);

  return {
    start: async () => {
      if (path !== undefined) await restore(path);
      const known = store.current.channels.size > 0;
      running = registry.run(builder, stop.signal, known).catch((error: unknown) => {
        givenUp = true;
        metrics.registryGivenUp.set(1);
        const { message: reason } = error as Error;
        logger.error(
          { reason },
          'the registry is given up: mend this and start weir again; until then nothing of it is seen',
        );
        isImpossible(error);
      });
      const address = await admin.listen(config.admin.listen);
      const { fleet: session } = registry;
      if (session !== undefined) {
        const election = stand(session, config, logger);
        leadership = election;
        const own = [address, { address: '::', port: parseListenAddress(config.listen)?.port ?? 0 }];
        health = startHealth(config, store, own, { session, election, found: options.probed, logger, metrics });
      }
      return address;
    },
    snapshot: () => store.current,
    fleet: registry.fleet ?? noFleet,
    ready: () => ready,
    close: async () => {
      // It leaves with the session at the latest.
      void leadership?.close();
      await health?.close();
      stop.abort();
      await running;
      builder.close();
      notes.close();
      await file?.close();
      await admin.close();
    },
  };
}

/** Whoever holds a lease keeps a connection; beyond some thousands they take turns. */
function adminConnections({ kind, embedded: { maxEndpoints } }: Config['registry']): number {
  const [others, registrars] = [512, 3_584];
  return kind === 'embedded' ? others + Math.min(maxEndpoints, registrars) : others;
}

/** A name, where the listener is given one. */
function listenName(address: string): string[] {
  const host = parseListenAddress(address)?.host;
  return host === undefined ? [] : [host];
}

function stand(session: FleetSession, { fleet, listen }: Config, logger: Logger): Election {
  const { root, site, name = `${hostname()}:${parseListenAddress(listen)?.port ?? 0}` } = fleet;
  return standForSite({ session, root, site, name, logger });
}

function sourceOf({ kind, zookeeper }: Config['registry']): Source {
  if (kind !== 'zookeeper') return { kind };
  const trees = treesOf(zookeeper).map(({ path, channel }) => (channel === undefined ? path : `${path} ${channel}`));
  return { kind, servers: zookeeper.servers, trees };
}

function tellState(before: SnapshotState, { state, revision, channels }: Snapshot, logger: Logger): void {
  const fields = { state, revision, channels: channels.size };
  if (state === 'live') logger.info(fields, 'following the registry');
  // Problems of the snapshot file are logged where it is read.
  else if (before === 'live') logger.warn(fields, 'the registry is out of reach: what it last said is served');
}

function setGauges(metrics: Metrics, snapshot: Snapshot, ageSeconds: number): void {
  let registered = 0;
  let lastResort = 0;
  for (const channel of snapshot.channels.values()) {
    for (const endpoint of channel.endpoints) {
      if (endpoint.lastResort === true) lastResort += 1;
      else registered += 1;
    }
  }
  metrics.endpoints.set({ state: 'registered' }, registered);
  metrics.endpoints.set({ state: 'last_resort' }, lastResort);
  metrics.channels.set(snapshot.channels.size);
  metrics.snapshotRevision.set(snapshot.revision);
  metrics.snapshotAge.set(ageSeconds);
  for (const state of states) metrics.registryState.set({ state }, snapshot.state === state ? 1 : 0);
}

function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone;
    reject = onError;
  });
  // It may reject while no caller waits.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
