// All relays of an edge: which viewer joins which, and how many there may be.

import type { Socket } from 'node:net';
import { WeirError } from '../errors.js';
import { seldom } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName, PeerKind } from '../model.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { canonicalPath } from '../upstream/path.js';
import { keepsPath } from '../upstream/target.js';
import { type Backlog, distinctBytes, tooMuch } from './audience/backlog.js';
import type { Framing } from './audience/frames.js';
import { Viewer, type ViewerHooks } from './audience/viewer.js';
import { Relay } from './relay.js';
import type { RelayReport } from './report.js';
import { Rooms } from './rooms.js';
import type { RelaysSettings } from './settings.js';
import type { RelayPath, SourceTools } from './source/source.js';

/** How often the memory that viewers hold is measured. */
const sweepIntervalMs = 1_000;

/** What players bring about with made-up names is logged once in so long. */
const warningIntervalMs = 1_000;

/** A player who wants to watch. */
export interface SubscribeRequest {
  /** Players with the same path share a pull; the query is theirs alone and is not sent on. */
  readonly route: RelayPath;
  /** Who asks, for limits of one client; undefined: a peer, which limits its own. */
  readonly client: string | undefined;
  /** Nothing else writes to it between onStart and onEnd. */
  readonly socket: Socket;
  readonly framing: Framing;
  readonly hooks: ViewerHooks;
}

/** A player who watches, or waits to. */
export interface Subscription {
  /** The player left. Idempotent; no hook is called after it. */
  cancel(): void;
}

/** What all relays share. */
export interface RelaysTools extends Omit<SourceTools, 'sayUndelivered'> {
  /** What is registered, whoever of several workers has a channel. */
  readonly registered: SnapshotStore;
}

/** One for each process that serves players. */
export class Relays {
  readonly #relays = new Map<string, Relay>();
  readonly #rooms: Rooms<Relay>;
  readonly #settings: RelaysSettings;
  readonly #metrics: Metrics;
  readonly #tools: RelaysTools & SourceTools;
  #closed = false;
  #sweepTimer: NodeJS.Timeout | undefined;
  #sweepSoon: NodeJS.Immediate | undefined;
  /** Bytes made for viewers who joined since the last sweep. */
  #joined = 0;

  constructor(settings: RelaysSettings, metrics: Metrics, tools: RelaysTools) {
    this.#settings = settings;
    this.#metrics = metrics;
    const say = (fields: object) => tools.logger.warn(fields, 'relay source failed');
    const sayUndelivered = seldom(say, warningIntervalMs, tools.now);
    this.#tools = { ...tools, sayUndelivered };
    this.#rooms = new Rooms(settings);
  }

  /**
   * Joins the player to the channel's relay, which is started for the first one. Later errors go to `onRefused`.
   *
   * @throws WeirError no_endpoint for a channel that has none now, unknown_channel, not_ready, relay_full, draining
   */
  subscribe({ route, client, socket, framing, hooks }: SubscribeRequest): Subscription {
    if (this.#closed) throw new WeirError('draining');
    const key = this.#key(route);
    const known = this.#relays.get(key);
    this.#refuseWithoutEndpoints(route.channel, known !== undefined);
    if (known?.full === true) throw new WeirError('relay_full');
    const relay = known ?? this.#create(key, route, client);
    const viewer = new Viewer(socket, framing, hooks, this.#tools.now());
    relay.add(viewer);
    if (known === undefined) relay.start();
    return { cancel: () => relay.remove(viewer) };
  }

  /** Whether a relay of the channel runs, perhaps holding its viewers while the channel has no endpoint. */
  holds(channel: ChannelName): boolean {
    return this.#rooms.has(channel);
  }

  /** From which kind of peer this stream comes now, if it comes from one. */
  fromPeer(route: RelayPath): PeerKind | undefined {
    return this.#relays.get(this.#key(route))?.fromPeer;
  }

  /** All relays as they are now. */
  report(): readonly RelayReport[] {
    return [...this.#rooms].map((relay) => relay.report());
  }

  /** Brings the gauges up to date. */
  collect(): void {
    const viewers = { flv: 0, 'ws-flv': 0 };
    let pulled = 0;
    let fromEdges = 0;
    for (const report of this.report()) {
      if (report.fromPeer === undefined) pulled += 1;
      else if (report.fromPeer === 'edge') fromEdges += 1;
      viewers.flv += report.viewers.chunked + report.viewers.raw;
      viewers['ws-flv'] += report.viewers.websocket;
    }
    this.#metrics.relays.set(pulled);
    this.#metrics.relaysFromEdges.set(fromEdges);
    this.#metrics.relayViewers.set({ protocol: 'flv' }, viewers.flv);
    this.#metrics.relayViewers.set({ protocol: 'ws-flv' }, viewers['ws-flv']);
  }

  /**
   * Ends the streams of players who asked for them before this time. Other workers' are not theirs.
   *
   * @param askedBefore monotonic ms
   */
  dismiss(askedBefore: number): void {
    for (const relay of this.#rooms) {
      for (const viewer of [...relay.viewers]) {
        if (viewer.framing === 'peer' || viewer.askedAt >= askedBefore) continue;
        relay.remove(viewer);
        viewer.hooks.onEnd();
      }
    }
  }

  /** Ends all streams; no other one starts. */
  close(): void {
    this.#closed = true;
    for (const relay of [...this.#rooms]) relay.close();
  }

  #refuseWithoutEndpoints(channel: ChannelName, relayed: boolean): void {
    const { current } = this.#tools.registered;
    if (current.channels.has(channel)) return;
    if (relayed || this.holds(channel)) throw new WeirError('no_endpoint');
    throw new WeirError(current.state === 'pending' ? 'not_ready' : 'unknown_channel');
  }

  /**
   * The same for all spellings of a path. Where no endpoint of the channel takes the player's path as it is, its first part
   * makes no other stream either.
   */
  #key({ channel, path, suffix }: RelayPath): string {
    const endpoints = this.#tools.registered.channel(channel)?.endpoints ?? [];
    const isPathUsed = endpoints.length === 0 || endpoints.some(({ address }) => keepsPath(address));
    return `${channel}\n${canonicalPath(isPathUsed ? path : suffix)}`;
  }

  #create(key: string, { channel, path, suffix }: RelayPath, client: string | undefined): Relay {
    this.#rooms.ask({ channel, client })?.close();
    const route = { channel, path: canonicalPath(path), suffix: canonicalPath(suffix), query: '' };
    const relay: Relay = new Relay({ route, client }, this.#settings, this.#metrics, this.#tools, {
      onProven: () => {
        const leaving = this.#rooms.prove(relay);
        for (const each of leaving ?? []) each.close();
        return leaving !== undefined;
      },
      onJoinFrame: (bytes) => this.#onJoinFrame(bytes),
      onClose: () => {
        this.#relays.delete(key);
        this.#rooms.delete(relay);
        if (this.#relays.size === 0) this.#stopSweeping();
      },
    });
    this.#relays.set(key, relay);
    this.#rooms.add(relay);
    this.#sweepTimer ??= setInterval(() => this.#sweep(), sweepIntervalMs);
    return relay;
  }

  /** Between two sweeps, too, no more is made than what would not matter. */
  #onJoinFrame(bytes: number): void {
    this.#joined += bytes;
    if (this.#joined > this.#settings.maxHeldBytes / 4) this.#sweepSoon ??= setImmediate(() => this.#sweep());
  }

  /** Viewers who do not read hold memory, each little; in all it is bounded here. */
  #sweep(): void {
    clearImmediate(this.#sweepSoon);
    this.#sweepSoon = undefined;
    this.#joined = 0;
    const now = this.#tools.now();
    const held: (Backlog & { readonly relay: Relay; readonly viewer: Viewer })[] = [];
    for (const relay of this.#rooms) {
      const streams = { webSocket: {}, other: {} };
      for (const viewer of relay.viewers) {
        const stream = viewer.framing === 'websocket' ? streams.webSocket : streams.other;
        const backlog = viewer.backlog(stream, now);
        if (backlog !== undefined) held.push({ ...backlog, relay, viewer });
      }
    }
    this.#metrics.relayHeldBytes.set(distinctBytes(held));
    for (const { relay, viewer } of tooMuch(held, this.#settings.maxHeldBytes)) {
      this.#metrics.relaySheds.inc();
      relay.drop(viewer);
    }
  }

  #stopSweeping(): void {
    clearInterval(this.#sweepTimer);
    clearImmediate(this.#sweepSoon);
    this.#sweepTimer = undefined;
    this.#sweepSoon = undefined;
    this.#metrics.relayHeldBytes.set(0);
  }
}
