// One channel's stream on its way from one pull to all its viewers.

import { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName, PeerKind } from '../model.js';
import { Audience } from './audience/audience.js';
import type { Delivery, Viewer } from './audience/viewer.js';
import { WaitingRoom } from './audience/waiting-room.js';
import type { FlvTag } from './flv/tag.js';
import { Outgoing } from './outgoing.js';
import { PendingTags } from './pending-tags.js';
import { RelayCounters } from './relay-counters.js';
import type { RelayReport } from './report.js';
import type { RelaySettings } from './settings.js';
import type { FailoverCause } from './source/failover-state.js';
import type { Pull } from './source/pull.js';
import { PullSource, type RelayPath, type SourceTools } from './source/source.js';

/** How whoever holds a relay hears of it. */
export interface RelayHooks {
  /** An endpoint delivered it for the first time. Returns whether there is room for it; it ends where there is none. */
  onProven(): boolean;
  /** So many bytes were made for viewers who join now. */
  onJoinFrame(bytes: number): void;
  /** It ended; whoever holds it forgets it. */
  onClose(): void;
}

/** It lives from `start` until nobody watches for `lingerMs`, no endpoint delivers it, or it is closed. */
export class Relay {
  readonly route: RelayPath;
  /** Who started it; undefined: a peer. */
  readonly client: string | undefined;
  readonly #settings: RelaySettings;
  readonly #counters: RelayCounters;
  readonly #now: () => number;
  readonly #hooks: RelayHooks;
  readonly #source: PullSource;
  readonly #stream: Outgoing;
  readonly #audience: Audience;
  readonly #waiting: WaitingRoom;
  readonly #pending: PendingTags;
  #cutSoon = false;
  #lingerTimer: NodeJS.Timeout | undefined;
  #idleSince: number | undefined;
  #proven = false;
  #lostBy: FailoverCause | undefined;
  #state: RelayReport['state'] = 'starting';
  #failovers = 0;
  #closed = false;

  constructor(
    { route, client }: { route: RelayPath; client: string | undefined },
    settings: RelaySettings,
    metrics: Metrics,
    tools: SourceTools,
    hooks: RelayHooks,
  ) {
    this.route = route;
    this.client = client;
    this.#settings = settings;
    this.#counters = new RelayCounters(metrics, tools.now);
    this.#now = tools.now;
    this.#hooks = hooks;
    this.#stream = new Outgoing(
      settings.maxGroupBytes,
      tools.now,
      (direction) => this.#counters.jumped(direction),
      (bytes) => hooks.onJoinFrame(bytes),
    );
    this.#pending = new PendingTags(settings.mergeWindowMs, tools.now, () => this.#cut());
    this.#waiting = new WaitingRoom((viewer) => {
      viewer.hooks.onRefused(new WeirError('upstream_first_byte_timeout'));
      this.#lingerWhenEmpty();
    });
    this.#audience = new Audience(
      settings,
      {
        onDelivery: (viewer, delivery) => this.#onDelivery(viewer, delivery),
        onDelivered: (batch, sent) => {
          this.#counters.delivered(batch, sent);
          this.#schedule();
        },
      },
      tools.now,
    );
    this.#source = new PullSource(route, settings, tools, this.#stream, {
      onSplice: (pull, cause) => this.#onSplice(pull, cause),
      onTag: (tag) => this.#onTag(tag),
      onChunk: (bytes) => this.#onChunk(bytes),
      onWrongTagSize: () => this.#counters.wrongTagSize(),
      onLost: (cause) => this.#onLost(cause),
      onGivenUp: (error) => this.#end(error),
      onPullEnded: (outcome) => this.#counters.pullEnded(outcome),
      onRetry: (error) => this.#counters.retried(error),
    });
  }

  /** May end at once, which refuses the viewers that wait. */
  start(): void {
    this.#source.start();
  }

  /** The kind of peer that delivers it now, if one does. */
  get fromPeer(): PeerKind | undefined {
    return this.#source.fromPeer;
  }

  get channel(): ChannelName {
    return this.route.channel;
  }

  /** An endpoint delivered it. */
  get proven(): boolean {
    return this.#proven;
  }

  /** Monotonic ms since which it has no viewer. */
  get idleSince(): number | undefined {
    return this.#idleSince;
  }

  /** No further viewer is let in. */
  get full(): boolean {
    return this.#audience.size + this.#waiting.size >= this.#settings.maxViewers;
  }

  /** The viewer gets the stream as soon as there is one; `full` says before whether there is room. */
  add(viewer: Viewer): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    this.#idleSince = undefined;
    if (this.#state === 'live') {
      this.#join(viewer);
      return;
    }
    this.#waiting.add(viewer, this.#settings.firstByteTimeoutMs);
  }

  /** The viewer left, or is to get no more. Safe to call for one that is not here. */
  remove(viewer: Viewer): void {
    const was = this.#waiting.delete(viewer) || this.#audience.delete(viewer);
    if (was) this.#lingerWhenEmpty();
  }

  /** Closes a viewer without a clean end: what its socket still holds would have to leave first. */
  drop(viewer: Viewer): void {
    this.remove(viewer);
    viewer.socket.destroy();
  }

  /** Those who were given the stream; not those who wait for it. */
  get viewers(): Iterable<Viewer> {
    return this.#audience;
  }

  /** Ends the stream for everybody. */
  close(): void {
    this.#end(new WeirError('draining'));
  }

  /** As it is now. */
  report(): RelayReport {
    const { cache, meter } = this.#stream;
    const { bytesPerSecond, groupMs } = meter;
    return {
      channel: this.route.channel,
      path: this.route.path,
      state: this.#state,
      endpoint: this.#source.current?.pick.endpoint.address,
      fromPeer: this.#source.fromPeer,
      videoCodec: cache.codecs.video,
      audioCodec: cache.codecs.audio,
      kbps: bytesPerSecond === undefined ? undefined : Math.round((bytesPerSecond * 8) / 1000),
      groupMs,
      viewers: this.#audience.count(),
      waiting: this.#waiting.size,
      failovers: this.#failovers,
    };
  }

  #onSplice(pull: Pull, cause: FailoverCause | undefined): void {
    if (cause !== undefined) {
      this.#failovers += 1;
      this.#counters.failedOver(cause, this.#stream.lastAt);
    }
    // What is left of the old pull belongs to the old cache.
    this.#cut();
    const { headers, tags } = this.#stream.begin(pull.cache);
    for (const header of headers) this.#pending.push(header);
    for (const tag of tags) this.#onTag(tag);
    this.#lostBy = undefined;
    this.#cutSoon = true;
  }

  #onTag(tag: FlvTag): boolean {
    const out = this.#stream.accept(tag);
    if (out === undefined) return false;
    const { groupMs } = this.#stream.meter;
    if (out.keyframe && groupMs !== undefined) this.#source.expectGroup(groupMs);
    this.#pending.push(out);
    return true;
  }

  #onChunk(bytes: number): boolean {
    this.#counters.received(bytes, this.#source.fromPeer);
    const hasRoom = this.#pending.received(bytes);
    this.#schedule();
    return hasRoom;
  }

  #onLost(cause: FailoverCause): void {
    this.#lostBy = cause;
    this.#state = 'holding';
    this.#cut();
  }

  /** Not before the last batch is through. */
  #schedule(): void {
    // What comes from a peer was gathered there.
    if (!this.#audience.busy) this.#pending.schedule(this.#cutSoon || this.#source.fromPeer !== undefined);
  }

  #cut(): void {
    if (this.#pending.isEmpty) return;
    const { tags, bytes } = this.#pending.take();
    const batch = this.#stream.batch(tags, bytes);
    this.#source.resume();
    this.#counters.batchMade(batch);
    this.#audience.deliver(batch, this.#maxViewerBytes());
    if (this.#cutSoon && this.#lostBy === undefined) {
      this.#cutSoon = false;
      this.#state = 'live';
      if (!this.#proven && !this.#prove()) return;
      for (const viewer of this.#waiting.empty()) this.#join(viewer);
    }
  }

  /** Media of `maxViewerMediaMs`, on top of a group of pictures that it may just have been given on joining. */
  #maxViewerBytes(): number {
    const { maxViewerBytes, maxViewerMediaMs } = this.#settings;
    const { cache, meter } = this.#stream;
    const rate = meter.bytesPerSecond;
    return rate === undefined
      ? maxViewerBytes
      : Math.min(maxViewerBytes, (rate * maxViewerMediaMs) / 1000 + cache.bytes);
  }

  #prove(): boolean {
    this.#proven = this.#hooks.onProven();
    if (!this.#proven) this.#end(new WeirError('relay_full'));
    return this.#proven;
  }

  #join(viewer: Viewer): void {
    const frame = this.#stream.joinFrame();
    this.#audience.add(viewer);
    viewer.join(frame, this.#stream.end, this.#source.current?.pick.endpoint.address);
    if (frame !== null) this.#counters.entered(viewer, frame.length);
  }

  #onDelivery(viewer: Viewer, delivery: Exclude<Delivery, 'sent' | 'waiting'>): void {
    if (delivery === 'entered') this.#counters.entered(viewer, viewer.entryBytes);
    else if (delivery === 'resumed') this.#counters.resumed(viewer, viewer.entryBytes);
    else if (delivery === 'skipped') this.#counters.skipped();
    else {
      this.#counters.closedAsSlow();
      this.drop(viewer);
    }
  }

  #lingerWhenEmpty(): void {
    if (this.#closed || this.#audience.size + this.#waiting.size > 0) return;
    if (!this.#proven) {
      // A name that nobody waits for, and that perhaps does not exist.
      this.close();
      return;
    }
    this.#idleSince = this.#now();
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = setTimeout(() => this.close(), this.#settings.lingerMs);
  }

  #end(error: WeirError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.close();
    this.#pending.close();
    clearTimeout(this.#lingerTimer);
    const viewers = [...this.#audience];
    const waiting = this.#waiting.empty();
    this.#audience.close();
    this.#hooks.onClose();
    for (const viewer of viewers) viewer.hooks.onEnd();
    for (const viewer of waiting) viewer.hooks.onRefused(error);
  }
}
