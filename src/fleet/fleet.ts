// An edge as a member of its fleet: it says that it is there, knows how many others are, and obeys the order to be out of service.
// Nothing of it is on the path of a request: without ZooKeeper it keeps to what it last knew.

import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { FleetClock } from './clock.js';
import { DrainFollower } from './drain-follower.js';
import type { DrainOrder } from './drain-order.js';
import { alone, countDueMs, countEdges } from './edge-count.js';
import { EdgeList } from './edge-list.js';
import { drainPath } from './edge-paths.js';
import type { EdgeNode, EdgeRecord } from './edge-record.js';
import { NameClash } from './name-clash.js';
import { OwnNode } from './own-node.js';
import { edgeJson, type KnownEdge, readEdges } from './read-edges.js';
import type { FleetSession } from './session.js';
import { type SitePeer, SitePeers } from './site-peers.js';
import { Traffic, type Vitals } from './traffic.js';

/** Between two looks at what the edge does, in ms. */
const vitalsIntervalMs = 1_000;

export interface FleetOptions {
  readonly session: FleetSession;
  readonly root: string;
  readonly site: string;
  /** Its name, and a part of this run of it alone. */
  readonly node: EdgeNode;
  /** What it says of itself and does not change. */
  readonly facts: Pick<EdgeRecord, 'version' | 'started' | 'players' | 'peers'>;
  readonly vitals: () => Vitals;
  /** How long viewers of FLV may stay where the order says nothing, in ms. */
  readonly graceMs: () => number;
  /**
   * Called whenever one of them changed.
   *
   * @param edges in service that pick from the same registry, this one among them
   * @param leaveWithinMs set while the edge is out of service: for how long viewers of FLV may stay
   */
  readonly obey: (edges: number, leaveWithinMs: number | undefined) => void;
  /** Called with the edges of this site that let others in, whenever they are others; undefined: nobody wants to know. */
  readonly peers?: ((peers: readonly SitePeer[]) => void) | undefined;
  readonly clock: FleetClock;
  readonly logger: Logger;
  readonly metrics: Pick<
    Metrics,
    'fleetEdges' | 'fleetEdgesCounted' | 'fleetConnected' | 'fleetDrained' | 'fleetClash'
  >;
}

/** Where an edge stands in its fleet. */
export interface FleetPlace extends Pick<FleetOptions, 'session' | 'root' | 'site'> {
  readonly name: string;
}

/** The edge's part in its fleet, until `close`. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #own: OwnNode;
  readonly #list: EdgeList;
  readonly #drain: DrainFollower;
  readonly #peers: SitePeers | undefined;
  readonly #clash: NameClash;
  readonly #traffic: Traffic;
  readonly #unsubscribe: () => void;
  #announced: Pick<EdgeRecord, 'config'> = {};
  #count = alone;
  #order: DrainOrder | undefined;
  #leaveWithinMs: number | undefined;
  #edges = 1;
  #isConnected = false;
  #isLeaving = false;
  /** For all who ask at once. */
  #reading: Promise<KnownEdge[] | undefined> | undefined;
  #stopTicking = () => {};

  constructor(options: FleetOptions) {
    this.#options = options;
    const { session, root, site, node, clock, logger, metrics } = options;
    this.#traffic = new Traffic(options.vitals, clock.now());
    this.#clash = new NameClash(node, (isThere) => {
      metrics.fleetClash.set(isThere ? 1 : 0);
      if (isThere) logger.error({ site, name: node.name }, 'another edge of this site has this name: set fleet.name');
    });
    metrics.fleetClash.set(0);
    this.#own = new OwnNode({
      session,
      root,
      site,
      node,
      record: () => ({ ...options.facts, ...this.#traffic.numbers, ...this.#announced }),
      folder: () => (this.#isOut ? 'drained' : 'edges'),
      failed: (reason) => logger.warn({ reason }, 'this edge cannot say in ZooKeeper that it is there'),
      clock,
    });
    const { peers } = options;
    if (peers !== undefined) {
      this.#peers = new SitePeers({ session, root, site, clock, changed: () => peers(this.#peers?.peers ?? []) });
    }
    this.#list = new EdgeList({ session, root, clock, changed: () => this.#listed() });
    this.#drain = new DrainFollower(session, drainPath(root, site, node.name), clock, (order) => this.#ordered(order));
    this.#unsubscribe = session.subscribe(({ kind }) => {
      this.#isConnected = kind === 'connected';
    });
    this.#tick();
  }

  /** Whether it is out of service by an order. */
  get isDrained(): boolean {
    return this.#order !== undefined;
  }

  get #isOut(): boolean {
    return this.isDrained || this.#isLeaving;
  }

  /** Where it stands, for what else it agrees on with others. */
  get place(): FleetPlace {
    const { session, root, site, node } = this.#options;
    return { session, root, site, name: node.name };
  }

  /** Says which settings the edge has from the fleet. */
  announce(facts: Pick<EdgeRecord, 'config'>): void {
    this.#announced = facts;
    this.#own.check();
  }

  /** Brings the gauges up to date. */
  collect(): void {
    const { metrics, site } = this.#options;
    metrics.fleetEdges.set({ of: 'all' }, this.#list.size);
    metrics.fleetEdges.set({ of: 'site' }, this.#list.sites.get(site)?.length ?? 0);
    metrics.fleetEdgesCounted.set(this.#count.edges);
    metrics.fleetConnected.set(this.#isConnected ? 1 : 0);
    metrics.fleetDrained.set(this.isDrained ? 1 : 0);
  }

  /** All edges of all sites, for the API; `edges` is null while ZooKeeper is out of reach. */
  async view(): Promise<object> {
    const { session, root, site, node } = this.#options;
    this.#reading ??= readEdges(session, root)
      .catch(() => undefined)
      .finally(() => {
        this.#reading = undefined;
      });
    const edges = await this.#reading;
    const self = { site, name: node.name, run: node.run, draining: this.isDrained, edges_counted: this.#count.edges };
    return { enabled: true, self, edges: edges?.map(edgeJson) ?? null };
  }

  /** The edge ends: it leaves the list of those in service now, and its node goes with the session. */
  leave(): void {
    this.#isLeaving = true;
    this.#own.check();
  }

  /** Its node goes with the session, which is not closed here. */
  close(): void {
    this.#stopTicking();
    this.#unsubscribe();
    this.#own.close();
    this.#list.close();
    this.#peers?.close();
    this.#drain.close();
  }

  #tick(): void {
    const { clock } = this.#options;
    this.#traffic.look(clock.now());
    this.#own.check();
    if (countDueMs(this.#count, clock.now()) === 0) this.#recount();
    this.#lookForClash();
    this.#stopTicking = clock.after(vitalsIntervalMs, () => this.#tick());
  }

  #listed(): void {
    this.#recount();
    this.#peers?.set(this.#siblings);
    if (!this.#list.isCurrent || this.#isOut) return;
    if (!this.#siblings.some(({ run }) => run === this.#options.node.run)) this.#own.missing();
  }

  get #siblings(): readonly EdgeNode[] {
    return this.#list.sites.get(this.#options.site) ?? [];
  }

  #lookForClash(): void {
    const { clock, session } = this.#options;
    if (this.#list.isCurrent) this.#clash.seen(this.#siblings, clock.now(), session.timeoutMs);
  }

  #recount(): void {
    const listed = this.#list.isCurrent ? this.#list.size : undefined;
    this.#count = countEdges(this.#count, listed, this.#options.clock.now());
    this.#obey();
  }

  #ordered(order: DrainOrder | undefined): void {
    const { logger } = this.#options;
    if (order !== undefined && this.#order === undefined) logger.warn({ since: order.at }, 'out of service by order');
    if (order === undefined && this.#order !== undefined) logger.info('back in service');
    this.#order = order;
    this.#own.check();
    this.#obey();
  }

  #obey(): void {
    const { graceMs, obey } = this.#options;
    const leaveWithinMs = this.#order && (this.#order.graceMs ?? graceMs());
    const { edges } = this.#count;
    if (edges === this.#edges && leaveWithinMs === this.#leaveWithinMs) return;
    this.#edges = edges;
    this.#leaveWithinMs = leaveWithinMs;
    obey(edges, leaveWithinMs);
  }
}
