// Wires the path of a request: store -> balancer -> upstream -> sharding -> HLS and relays -> the listeners.
//
// All of them hear of a snapshot, in the order of the phases in snapshot/store.ts: the pools, the balancer, and only then HLS
// and the relays, which may pick at once.

import { Access } from '../access/access.js';
import { explanationJson } from '../balancer/explanation.js';
import { createPolicy } from '../balancer/policies.js';
import type { EdgeContext } from '../http/exchange.js';
import { createPassthrough, edgeRoutes, passedFlv, peerRoutes, playerRoutes, relayedFlv } from '../http/routing.js';
import { DataServer } from '../http/server.js';
import { type Logger, seldom } from '../log.js';
import type { Metrics } from '../metrics.js';
import { isPeer } from '../net-address.js';
import { relayJson } from '../relay/index.js';
import { Alone } from '../sharding/alone.js';
import { Sharded } from '../sharding/sharded.js';
import type { Sharding } from '../sharding/sharding.js';
import { SnapshotStore } from '../snapshot/store.js';
import { type ClientObserver, createUpstreamClient } from '../upstream/client.js';
import { Destinations, type OwnListener } from '../upstream/destinations.js';
import { Pools } from '../upstream/pools.js';
import type { DataPlane, DataPlaneConfig, PlanDesk } from './contract.js';
import { Departure, realDepartureClock } from './departure.js';
import { createHls } from './hls.js';
import { hubParts, siteByHand } from './hub.js';
import { aloneIdentity, type Identity } from './identity.js';
import { collectPicks, createBalancer, takeReport } from './observe.js';
import { PlaneSettings } from './plane-config.js';
import { createRelays } from './relays.js';

/** ms in which viewers of endless streams hear that it is over, before their connections are closed. */
const farewellMs = 1_000;

/**
 * @param identity default: the one process that serves players
 * @param plans where the plans of channels are; undefined: this edge numbers HLS by itself
 */
export function createDataPlane(
  given: DataPlaneConfig,
  logger: Logger,
  metrics: Metrics,
  identity: Identity = aloneIdentity(given.hls, logger),
  plans?: PlanDesk,
): DataPlane {
  // Its own copy: `configure` writes into it. Every part below reads those settings when it needs them that the schema lets
  // change live (`reload('live', …)`); others may be read once, since a reload that changes them replaces the workers.
  const settings = new PlaneSettings(given);
  const { config } = settings;
  const { upstream } = config;
  const destinations = new Destinations(upstream.allow);
  const store = new SnapshotStore();
  const pools = new Pools(store, destinations, {
    ...upstream,
    // A peer asks another one for no more than its own players ask for.
    get peerConnections() {
      return config.http.maxConnections;
    },
  });
  const balancer = createBalancer(config, { store, destinations, logger, metrics });
  const sayExhausted = seldom((fields: object) => logger.error(fields, 'this process is at a limit of its system'));
  const observer: ClientObserver = {
    onHeaders: (server, headers) => takeReport(balancer, server, headers),
    onFailed: (server, error) => {
      if (isPeer(server)) sharding.peerFailed(server, error);
    },
    onExhausted: ({ message }) => sayExhausted({ detail: message }),
  };
  const client = createUpstreamClient(pools, upstream, observer);
  const parts = { store, balancer, pools, client };
  const hub = hubParts(config, destinations, metrics);
  const { self } = identity;
  const sharding: Sharding = self === 'alone' && hub === undefined ? new Alone(parts) : new Sharded(self, parts, hub);
  const site = siteByHand(config.fleet);
  if (site !== undefined) sharding.setSite(site);
  const access = new Access(config.access, Date.now);
  let draining = false;
  const edge: EdgeContext = {
    settings: config.http,
    log: config.log,
    logger,
    metrics,
    access,
    audience: 'players',
    via: `1.1 weir-${identity.edge}`,
    draining: () => draining || departure.isLeaving,
  };
  const passedThrough = createPassthrough({ balancer, client, metrics, settings: upstream });
  const { machineSecret } = identity;
  const { via } = edge;
  const hls = createHls(config, {
    sessions: { store, balancer, client, metrics, logger, via, plans, machineSecret },
    sharding,
    passedThrough,
  });
  const relays = createRelays(config, edge, {
    store: sharding.store,
    balancer: sharding.picks,
    client,
    registered: store,
  });
  const departure: Departure = new Departure((askedBefore) => relays.dismiss(askedBefore), realDepartureClock);
  const flv = config.relay.enabled
    ? relayedFlv(relays, passedThrough)
    : passedFlv({ balancer, metrics, destinations, settings: upstream, observer }, passedThrough);
  const server = new DataServer(edge, store, playerRoutes(sharding, flv, hls, relays));
  // Out of service, players are to leave; workers and other edges hear of it from the fleet.
  const forPeers = { ...edge, draining: () => draining };
  const peerServer = sharding.createPeerServer(forPeers, peerRoutes(sharding, hls, relays));
  const edgeServer = sharding.createEdgeServer(forPeers, edgeRoutes(sharding, relays, sharding.createFromWorker()));

  const setOwnListeners = (listeners: readonly OwnListener[]) => {
    destinations.setOwn(listeners);
    balancer.judgeAddresses();
  };
  const end = async () => {
    departure.close();
    // First: an end of a stream would tell peers that no origin delivers it.
    peerServer.close();
    edgeServer.close();
    relays.close();
    server.close();
    hls.close();
    sharding.close();
    balancer.close();
    await pools.close();
  };
  return {
    accept: (update) => store.accept(update),
    listen: async () => {
      const address = await server.listen(config.listen);
      setOwnListeners([address]);
      return address;
    },
    setOwnListeners,
    listenOnShared: async (socket) => {
      await peerServer.listen();
      await server.listenOnShared(socket);
    },
    listenForEdges: (where) => edgeServer.listen(where),
    intake: server.intake,
    explain: (channel) => explanationJson(balancer.explain(channel)),
    relays: () => relays.report().map(relayJson),
    hls: () => hls.describe(),
    collect: () => {
      relays.collect();
      collectPicks(balancer, metrics);
      hls.collect();
    },
    configure: (next) => {
      const { policy } = config.balancer;
      const { level } = config.log;
      settings.configure(next);
      server.configure();
      access.configured();
      balancer.configured();
      if (config.log.level !== level) logger.level = config.log.level;
      if (config.balancer.policy !== policy) balancer.usePolicy(createPolicy(config.balancer.policy));
    },
    inFlightChanges: () => balancer.inFlightChanges(),
    setMembers: (members) => {
      sharding.setMembers(members);
      hls.releaseElsewhere();
    },
    setSite: (site) => sharding.setSite(site),
    newHlsStates: () => hls.newStates(),
    adoptHls: (states) => hls.adopt(states),
    setFleet: (orders) => {
      settings.setEdges(orders.edges);
      departure.set(orders.leaveWithinMs);
      if (orders.site !== undefined) sharding.setSite(orders.site);
    },
    signWith: (secret) => hls.signWith(secret),
    setInFlightElsewhere: (counts, whole) => balancer.setInFlightElsewhere(counts, whole),
    probed: (findings) => balancer.probed(findings),
    drain: async (how = 'shutdown') => {
      draining = true;
      sharding.keepOwn();
      const { grace } = config.shutdown;
      const farewell = setTimeout(() => relays.close(), grace);
      await Promise.all([server.drain(grace + farewellMs, how), peerServer.drain(grace), edgeServer.drain(grace)]);
      clearTimeout(farewell);
      await end();
    },
    close: end,
  };
}
