// Wires the path of a request: store -> balancer -> upstream -> http.

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Balancer } from './balancer/balancer.js';
import { explanationJson } from './balancer/explanation.js';
import { ORCA_HEADER, parseOrca } from './balancer/orca.js';
import { createPolicy } from './balancer/policies.js';
import { assignInPlace } from './config/assign.js';
import type { Config } from './config-schema.js';
import { WeirError } from './errors.js';
import { machineSecret } from './hls/pin-keys.js';
import type { SessionContext } from './hls/session-context.js';
import type { SessionState } from './hls/session-state.js';
import { type HlsReport, HlsSessions } from './hls/sessions.js';
import { answerError, type EdgeContext } from './http/exchange.js';
import { HlsHandler } from './http/hls.js';
import { PeerHlsHandler } from './http/hls-peer.js';
import type { Intake, SharedSocket } from './http/intake.js';
import { passThrough } from './http/passthrough.js';
import { relayHttp } from './http/relayed.js';
import { createWebSocketServer, relayWebSocket } from './http/relayed-websocket.js';
import type { Route } from './http/route.js';
import { DataServer } from './http/server.js';
import { passWebSocket, refuseUpgrade } from './http/websocket.js';
import { type Logger, seldom } from './log.js';
import { createMetrics, type Metrics } from './metrics.js';
import type { ChannelName, ServerOrigin, Update } from './model.js';
import { hostOf, isPeer, peerServer as peerServerOf, portOf } from './net-address.js';
import { version } from './package.js';
import type { Member } from './peers/owner.js';
import { PeerPicks } from './peers/peer-picks.js';
import { PeerView } from './peers/view.js';
import { Relays, type RelaysTools } from './relay/relays.js';
import { type RelayJson, relayJson } from './relay/report.js';
import { SnapshotStore } from './snapshot/store.js';
import { createUpstreamClient } from './upstream/client.js';
import { isRefused } from './upstream/connector.js';
import { Destinations, type OwnListener, type Refusal } from './upstream/destinations.js';
import { Pools } from './upstream/pools.js';

/** What a data plane needs of the settings: nothing of the registry and its secrets. */
export type DataPlaneConfig = Omit<Config, 'registry' | 'admin'>;

/** This data plane as one of several workers. */
export interface WorkerIdentity {
  /** All workers of an edge have the same name in `Via`. */
  readonly edge: string;
  /** And the same secret, where the settings have none: what one of them signs, the others know. */
  readonly machineSecret: string;
  readonly self: Member;
}

export { machineSecret } from './hls/pin-keys.js';
export type { SessionState } from './hls/session-state.js';
export type { HlsReport } from './hls/sessions.js';
export type { IntakeState, SharedSocket } from './http/intake.js';
export { type Member, ownerOf } from './peers/owner.js';
export type { RelayJson } from './relay/report.js';
export type { OwnListener } from './upstream/destinations.js';

export interface DataPlane {
  /** Applies an update; false on a gap: send a full one. */
  accept(update: Update): boolean;
  /** Starts to serve players; resolves with the address. */
  listen(): Promise<AddressInfo>;
  /** All addresses on which this edge listens: no endpoint is asked there. `listen` knows its own. */
  setOwnListeners(listeners: readonly OwnListener[]): void;
  /** Starts to serve players from a socket that the edge's other processes accept from too, and those processes. */
  listenOnShared(socket: SharedSocket): Promise<void>;
  /** How much of the shared socket it takes. */
  readonly intake: Intake;
  /** As JSON for the API. Throws a WeirError for an unknown channel. */
  explain(channel: ChannelName): unknown;
  /** As JSON for the API: every relay with its endpoint, codecs, measured bitrate, viewers and failovers. */
  relays(): readonly RelayJson[];
  /** For `/api/v1/hls`. */
  describeHls(): HlsReport;
  /** Brings the gauges up to date that are read off the state. */
  collect(): void;
  /** Puts settings into effect. Only such may differ as can change in place. */
  configure(config: DataPlaneConfig): void;
  /** Picks that are not done, by server, and a number that grows whenever they change. */
  inFlight(): { readonly changes: number; readonly counts: [ServerOrigin, number][] };
  /** The workers that serve now, this one among them. Channels move to their owners. */
  setMembers(members: readonly Member[]): void;
  /** HLS sessions as another worker would need them to go on, as far as they were not told yet. */
  newHlsStates(): readonly SessionState[];
  /** Sessions of channels that are this worker's now. */
  adoptHls(states: readonly SessionState[]): void;
  /** What the edge's other processes have in flight. */
  setInFlightElsewhere(counts: ReadonlyMap<ServerOrigin, number>): void;
  /**
   * Accepts nobody any more, lets players finish for `shutdown.grace`, then closes them. `handover`: another process goes
   * on in its place, so idle connections are ended with the answer to their next request.
   */
  drain(end?: 'shutdown' | 'handover'): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/** @param identity of a worker; undefined: the one process that serves players */
export function createDataPlane(
  given: DataPlaneConfig,
  logger: Logger,
  metrics: Metrics,
  identity?: WorkerIdentity,
): DataPlane {
  // Its own copy: `configure` writes into it, and every part below reads its settings when it needs them.
  const config = structuredClone(given);
  const destinations = new Destinations(config.upstream.allow);
  const store = new SnapshotStore();
  // A worker asks another one for no more than its own players ask for.
  const pools = new Pools(store, destinations, {
    ...config.upstream,
    get peerConnections() {
      return config.http.maxConnections;
    },
  });
  const balancer = createBalancer(config, store, destinations, logger, metrics);
  const sayExhausted = seldom((fields: object) => logger.error(fields, 'this process is at a limit of its system'));
  const client = createUpstreamClient(pools, config.upstream, {
    onHeaders: (server, headers) => refresh(balancer, server, headers),
    onExhausted: ({ message }) => sayExhausted({ detail: message }),
  });
  let draining = false;
  const edge: EdgeContext = {
    settings: config.http,
    log: config.log,
    logger,
    metrics,
    audience: 'players',
    via: `1.1 weir-${identity?.edge ?? createEdgeName()}`,
    draining: () => draining,
  };
  const passthrough = { balancer, client, metrics, retries: config.upstream.retries };
  const webSocket = { balancer, metrics, destinations, settings: config.upstream };
  const peers = identity === undefined ? undefined : new PeerView(identity.self.name, store);
  const shared = {
    store: peers?.store ?? store,
    balancer: peers === undefined ? balancer : new PeerPicks(peers, balancer),
    client,
  };
  const hls =
    config.hls.mode === 'session'
      ? createHls(
          config,
          { store, balancer, client, metrics, logger },
          edge,
          identity?.machineSecret ?? machineSecret(config.hls, logger),
        )
      : undefined;
  const peerHls =
    peers === undefined || hls === undefined
      ? undefined
      : new PeerHlsHandler({ sessions: hls.sessions, client, ownerOf: (channel) => serverOfOwner(peers, channel) });
  const relays = createRelays(config, edge, { ...shared, registered: store });
  const webSockets = createWebSocketServer();
  const server = new DataServer(edge, store, {
    request: (exchange, route, response) => {
      const relayed = config.relay.enabled && route.kind === 'flv' && exchange.request.method === 'GET';
      if (hls !== undefined && route.kind !== 'flv') {
        const handler = peers?.isElsewhere(route.channel) === true ? peerHls : hls.handler;
        handler?.handle(exchange, route, response);
      } else if (relayed) relayHttp(relays, exchange, route, response);
      else passThrough(passthrough, exchange, route, response);
    },
    upgrade: (exchange, route, socket, head) => {
      if (config.relay.enabled) relayWebSocket({ relays, webSockets }, exchange, route, socket, head);
      else passWebSocket(webSocket, exchange, route, socket, head);
    },
    holds: (channel) =>
      relays.holds(channel) || hls?.sessions.holds(channel) === true || peerHls?.holds(channel) === true,
  });
  const peerServer = peers === undefined ? undefined : createPeerServer({ edge, store, relays, peers, hls });

  const setOwnListeners = (listeners: readonly OwnListener[]) => {
    destinations.setOwn(listeners);
    balancer.judgeAddresses();
  };
  const end = async () => {
    relays.close();
    server.close();
    hls?.sessions.close();
    peerServer?.close();
    peers?.close();
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
      if (identity !== undefined) await peerServer?.listenOnPath(identity.self.socket);
      await server.listenOnShared(socket);
    },
    intake: server.intake,
    explain: (channel) => explanationJson(balancer.explain(channel)),
    relays: () => relays.report().map(relayJson),
    describeHls: () => hls?.sessions.describe() ?? { sessions: [], cache: { objects: 0, bytes: 0 } },
    collect: () => {
      relays.collect();
      metrics.endpoints.set({ state: 'ejected' }, balancer.ejected());
      collectBalancer(balancer, metrics);
      hls?.sessions.collect();
    },
    configure: (next) => {
      const { policy } = config.balancer;
      const { level } = config.log;
      assignInPlace(config, next);
      server.configure();
      if (config.log.level !== level) logger.level = config.log.level;
      if (config.balancer.policy !== policy) balancer.usePolicy(createPolicy(config.balancer.policy));
    },
    inFlight: () => balancer.inFlight(),
    setMembers: (members) => {
      pools.setPeers(new Map(members.map(({ name, socket }) => [peerServerOf(name), socket])));
      peers?.setMembers(members);
      balancer.setWorkers(Math.max(1, members.length));
      if (peers !== undefined) hls?.sessions.release((channel) => peers.isElsewhere(channel));
    },
    newHlsStates: () => hls?.sessions.newStates() ?? [],
    adoptHls: (states) => hls?.sessions.adopt(states),
    setInFlightElsewhere: (counts) => balancer.setInFlightElsewhere(counts),
    drain: async (how = 'shutdown') => {
      draining = true;
      if (identity !== undefined) peers?.keepOwn(identity.self);
      const { grace } = config.shutdown;
      const farewell = setTimeout(() => relays.close(), grace);
      await Promise.all([server.drain(grace + farewellTime, how), peerServer?.drain(grace, 'shutdown')]);
      clearTimeout(farewell);
      await end();
    },
    close: end,
  };
}

/** For viewers of streams without an end to hear that it is over before their connections are closed, in ms. */
const farewellTime = 1_000;

/** A name of its own in `Via`, so that a request that comes back is known. */
export function createEdgeName(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Where other workers take the channels of this one. Only its own, and never what it takes from a worker itself: while
 * two workers see ownership differently, one of them is refused and asks again.
 */
function createPeerServer({
  edge,
  store,
  relays,
  peers,
  hls,
}: {
  edge: EdgeContext;
  store: SnapshotStore;
  relays: Relays;
  peers: PeerView;
  hls: { readonly sessions: HlsSessions; readonly handler: HlsHandler } | undefined;
}): DataServer {
  const forPeers: EdgeContext = {
    ...edge,
    audience: 'workers',
    log: { requests: false },
    // What passes between workers is none of the players' totals.
    metrics: createMetrics({ process: false }),
    // Its own requests come in here, through another worker.
    via: `${edge.via}-worker`,
  };
  const refuses = (route: Route) =>
    route.kind === 'flv' ? !peers.owns(route.channel) || relays.isFromPeer(route) : peers.isElsewhere(route.channel);
  return new DataServer(forPeers, store, {
    request: (exchange, route, response) => {
      if (refuses(route)) answerError(exchange, response, new WeirError('not_owner'));
      else if (route.kind === 'flv') relayHttp(relays, exchange, route, response);
      else if (hls !== undefined) hls.handler.handle(exchange, route, response);
      else answerError(exchange, response, new WeirError('not_found'));
    },
    upgrade: (exchange, _route, socket) => refuseUpgrade(socket, exchange, new WeirError('bad_request')),
    holds: (channel) => relays.holds(channel) || hls?.sessions.holds(channel) === true,
  });
}

function serverOfOwner(peers: PeerView, channel: ChannelName): ServerOrigin | undefined {
  const owner = peers.ownerOf(channel);
  return owner === undefined ? undefined : peerServerOf(owner.name);
}

function createRelays(
  config: DataPlaneConfig,
  edge: EdgeContext,
  tools: Pick<RelaysTools, 'store' | 'registered' | 'balancer' | 'client'>,
) {
  const { relay, upstream } = config;
  const settings = {
    ...relay,
    gopLimits: { maxBytes: relay.gopCache.size },
    firstByteTimeout: upstream.firstByteTimeout,
  };
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': `weir/${version}`, via: edge.via };
  const now = () => performance.now();
  return new Relays(settings, edge.metrics, { ...tools, headers, logger: edge.logger, now });
}

function createHls(
  config: DataPlaneConfig,
  parts: Pick<SessionContext, 'store' | 'balancer' | 'client' | 'metrics' | 'logger'>,
  edge: EdgeContext,
  secret: string,
): { sessions: HlsSessions; handler: HlsHandler } {
  const sessions = new HlsSessions({
    ...parts,
    machineSecret: secret,
    settings: config.hls,
    retries: config.upstream.retries,
    firstByteTimeout: config.upstream.firstByteTimeout,
    via: edge.via,
    now: () => performance.now(),
    clock: Date.now,
  });
  return { sessions, handler: new HlsHandler(sessions) };
}

function collectBalancer(balancer: Balancer, metrics: Metrics): void {
  const { reportAge, policy } = balancer.status();
  metrics.reportAge.set({ statistic: 'mean' }, reportAge.mean / 1000);
  metrics.reportAge.set({ statistic: 'oldest' }, reportAge.oldest / 1000);
  metrics.gain.set(policy.gain);
  metrics.busiestShare.reset();
  policy.busiest.forEach((share, i) => {
    metrics.busiestShare.set({ rank: String(i + 1) }, share);
  });
}

const refusalWords: Readonly<Record<Refusal, string>> = {
  outside: 'add its network to upstream.allow',
  special: 'metadata services and link-local addresses have to be in upstream.allow by themselves',
  own: 'weir itself listens there',
};

function createBalancer(
  config: DataPlaneConfig,
  store: SnapshotStore,
  destinations: Destinations,
  logger: Logger,
  metrics: Metrics,
) {
  return new Balancer({
    store,
    policy: createPolicy(config.balancer.policy),
    settings: config.balancer,
    observer: {
      picked: (outcome) => metrics.picks.inc({ policy: config.balancer.policy, outcome }),
      ejected: (server, cause, forMilliseconds) => {
        metrics.ejections.inc({ cause });
        logger.warn({ server, cause, seconds: forMilliseconds / 1000 }, 'endpoint ejected');
      },
      refused: (server) => {
        const refusal = destinations.refusal(hostOf(server), portOf(server)) ?? 'outside';
        metrics.refusedAddresses.inc();
        logger.warn({ server, allow: config.upstream.allow }, `endpoint refused: ${refusalWords[refusal]}`);
      },
    },
    addressAllowed: (server) => isPeer(server) || !isRefused(server, destinations),
    now: () => performance.now(),
    random: Math.random,
  });
}

/** An origin's report that comes with an answer counts like one of the registry. */
function refresh(balancer: Balancer, server: ServerOrigin, headers: IncomingHttpHeaders): void {
  const value = headers[ORCA_HEADER];
  if (typeof value !== 'string') return;
  const report = parseOrca(value);
  if (report !== undefined) balancer.refresh(server, report);
}
