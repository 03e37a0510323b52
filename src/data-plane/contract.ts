// The interface of a data plane, for the processes that run one: the single process, or a worker.

import type { AddressInfo } from 'node:net';
import type { Config } from '../config-schema.js';
import type { Failure } from '../errors.js';
import type { HlsReport, SessionState } from '../hls/index.js';
import type { Intake, SharedSocket } from '../http/intake.js';
import type { ChannelName, ServerOrigin, Update } from '../model.js';
import type { RelayJson } from '../relay/index.js';
import type { Site } from '../sharding/neighbours.js';
import type { Member } from '../sharding/owner.js';
import type { OwnListener } from '../upstream/destinations.js';

export type { HlsReport, PlanDesk, PlanNews, PlanWatch, SessionState } from '../hls/index.js';
export type { IntakeState, SharedSocket } from '../http/intake.js';
export type { RelayJson } from '../relay/index.js';
export type { Site } from '../sharding/neighbours.js';
export type { OwnListener } from '../upstream/destinations.js';
export type { EdgeIdentity, Identity, WorkerIdentity } from './identity.js';

/** What a data plane needs of the settings: nothing of the registry and its secrets. */
export type DataPlaneConfig = Omit<Config, 'registry' | 'admin'>;

/** What a data plane shows of its state, as JSON: each is a path of the API, `/api/v1/NAME`. */
export interface Views {
  /** Every relay with its endpoint, codecs, measured bitrate, viewers and failovers. */
  relays(): readonly RelayJson[];
  /** HLS sessions: endpoint, window, last switch; and the cache. */
  hls(): HlsReport;
}

/** What the fleet decides for this edge. */
export interface FleetOrders {
  /** Edges in service that pick from the same registry, this one among them. */
  readonly edges: number;
  /** Set while the edge is out of service: for how long viewers of FLV may stay, in ms. */
  readonly leaveWithinMs: number | undefined;
  /** The edges of the site that share streams; undefined: it is not known, or the settings name them. */
  readonly site?: Site | undefined;
}

export type ProbeFindings = readonly (readonly [server: ServerOrigin, cause: Failure, weight: number])[];

export interface DataPlane extends Views {
  /** Applies an update; false when it does not build on the one before: nothing changed. */
  accept(update: Update): boolean;
  /** Starts to serve players; resolves with the address. */
  listen(): Promise<AddressInfo>;
  /** All addresses on which this edge listens: no endpoint is asked there. `listen` knows its own. */
  setOwnListeners(listeners: readonly OwnListener[]): void;
  /** Starts to serve players from a socket that the edge's other processes accept from too, and those processes. */
  listenOnShared(socket: SharedSocket): Promise<void>;
  /**
   * Starts to serve other edges, where `fleet.hub` says so; resolves with the address.
   * @param where an address, or a socket that the edge's other processes accept from too
   */
  listenForEdges(where: string | SharedSocket): Promise<AddressInfo | undefined>;
  /** How much of the shared socket it takes. */
  readonly intake: Intake;
  /**
   * As JSON for the API.
   *
   * @throws WeirError unknown_channel
   */
  explain(channel: ChannelName): unknown;
  /** Brings the gauges up to date that are read off the state. */
  collect(): void;
  /** Puts settings into effect. Only such may differ as can change in place. */
  configure(config: DataPlaneConfig): void;
  /** Picks that are not done, by server: those of servers where that changed since the last call. */
  inFlightChanges(): [ServerOrigin, number][];
  /** The workers that serve now, this one among them. Channels move to their owners. */
  setMembers(members: readonly Member[]): void;
  /** The edges of the site that are there now. Channels move to their owners. */
  setSite(site: Site): void;
  /** HLS sessions for another worker to go on with, as far as they were not reported yet. */
  newHlsStates(): readonly SessionState[];
  /** Sessions of channels that are this worker's now. */
  adoptHls(states: readonly SessionState[]): void;
  /**
   * Out of service, each answer is the last one on its connection, so that players look for another edge, and FLV ends after
   * the time for it. Whoever comes nevertheless is served.
   */
  setFleet(orders: FleetOrders): void;
  /** The secret that all edges of the fleet sign URLs in HLS playlists with. */
  signWith(secret: string): void;
  /** What the edge's other processes have in flight. `whole`: where nothing is said, they have nothing. */
  setInFlightElsewhere(counts: Iterable<readonly [ServerOrigin, number]>, whole: boolean): void;
  /** What health checks found of servers: a share of a failure each; below 0 it is taken back. */
  probed(findings: ProbeFindings): void;
  /**
   * Accepts no more players, lets those who are here finish for `shutdown.grace`, then closes them. `handover`: another
   * process goes on in its place, so an idle connection ends with the answer to its next request.
   */
  drain(end?: 'shutdown' | 'handover'): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}
