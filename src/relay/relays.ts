// All relays of an edge: which viewer joins which, and how many there may be.

import type { Socket } from 'node:net';
import { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName } from '../model.js';
import type { Framing } from './frames.js';
import { Relay, type RelaySettings } from './relay.js';
import type { RelayReport } from './report.js';
import type { RelayPath, SourceTools } from './source.js';
import { Viewer, type ViewerHooks } from './viewer.js';

export interface RelaysSettings extends RelaySettings {
  readonly maxRelays: number;
}

/** A player who wants to watch. */
export interface AttachRequest {
  /** Players with the same path share a pull; the query is theirs alone and is not sent on. */
  readonly route: RelayPath;
  /** Nothing else writes to it between onStart and onEnd. */
  readonly socket: Socket;
  readonly framing: Framing;
  readonly hooks: ViewerHooks;
}

export interface Attachment {
  /** The player left. Idempotent; no hook is called after it. */
  detach(): void;
}

export class Relays {
  readonly #relays = new Map<string, Relay>();
  /** Relays of each channel: players may come with different paths. */
  readonly #perChannel = new Map<ChannelName, number>();
  readonly #settings: RelaysSettings;
  readonly #metrics: Metrics;
  readonly #tools: SourceTools;

  constructor(settings: RelaysSettings, metrics: Metrics, tools: SourceTools) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#tools = tools;
  }

  /**
   * Joins the player to the channel's relay, which is started for the first one. Throws a WeirError: no_endpoint for a
   * channel that has none now, unknown_channel, not_ready, relay_full. Later errors go to `onRefused`.
   */
  attach(request: AttachRequest): Attachment {
    const { route, socket, framing, hooks } = request;
    const known = this.#relays.get(route.path);
    this.#refuseWithoutEndpoints(route.channel, known !== undefined);
    if (known?.full === true) throw new WeirError('relay_full');
    const relay = known ?? this.#create(route);
    const viewer = new Viewer(socket, framing, hooks, this.#tools.now());
    relay.attach(viewer);
    if (known === undefined) relay.start();
    return { detach: () => relay.detach(viewer) };
  }

  /** Whether a relay of the channel runs, perhaps holding its viewers while the channel has no endpoint. */
  holds(channel: ChannelName): boolean {
    return this.#perChannel.has(channel);
  }

  /** Whether the stream under this path comes from another worker now. */
  isFromPeer(path: string): boolean {
    return this.#relays.get(path)?.isFromPeer === true;
  }

  report(): readonly RelayReport[] {
    return [...this.#relays.values()].map((relay) => relay.report());
  }

  /** Brings the gauges up to date. */
  collect(): void {
    const viewers = { flv: 0, 'ws-flv': 0 };
    let pulled = 0;
    for (const report of this.report()) {
      if (!report.fromPeer) pulled += 1;
      viewers.flv += report.viewers.chunked + report.viewers.raw;
      viewers['ws-flv'] += report.viewers.websocket;
    }
    this.#metrics.relays.set(pulled);
    this.#metrics.relayViewers.set({ protocol: 'flv' }, viewers.flv);
    this.#metrics.relayViewers.set({ protocol: 'ws-flv' }, viewers['ws-flv']);
  }

  /** Ends all streams. */
  close(): void {
    for (const relay of [...this.#relays.values()]) relay.close();
  }

  #refuseWithoutEndpoints(channel: ChannelName, relayed: boolean): void {
    const { current } = this.#tools.store;
    if (current.channels.has(channel)) return;
    if (relayed || this.holds(channel)) throw new WeirError('no_endpoint');
    throw new WeirError(current.state === 'pending' ? 'not_ready' : 'unknown_channel');
  }

  #create(route: RelayPath): Relay {
    if (this.#relays.size >= this.#settings.maxRelays) {
      throw new WeirError('relay_full', { detail: 'This edge has no room for another stream.' });
    }
    const { channel, path, rest } = route;
    const onClose = () => {
      this.#relays.delete(path);
      this.#count(channel, -1);
    };
    const relay = new Relay({ channel, path, rest, query: '' }, this.#settings, this.#metrics, this.#tools, onClose);
    this.#relays.set(path, relay);
    this.#count(channel, 1);
    return relay;
  }

  #count(channel: ChannelName, change: 1 | -1): void {
    const count = (this.#perChannel.get(channel) ?? 0) + change;
    if (count > 0) this.#perChannel.set(channel, count);
    else this.#perChannel.delete(channel);
  }
}
