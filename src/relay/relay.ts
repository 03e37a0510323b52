// One channel's stream on its way from one pull to all its viewers.

import { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName } from '../model.js';
import { Audience } from './audience.js';
import { Batch } from './batch.js';
import type { FailoverCause } from './failover-state.js';
import type { FlvTag } from './flv-tag.js';
import type { Framing } from './frames.js';
import { Outgoing } from './outgoing.js';
import type { Pull } from './pull.js';
import type { RelayReport } from './report.js';
import { type RelayPath, Source, type SourceSettings, type SourceTools } from './source.js';
import type { Delivery, Viewer } from './viewer.js';
import { WaitingRoom } from './waiting-room.js';

export interface RelaySettings extends SourceSettings {
  /** ms; 0 sends at once. */
  readonly mergeWindow: number;
  /** ms after the last viewer left. */
  readonly linger: number;
  /** Bytes, and ms of media, that a viewer's socket may hold. */
  readonly viewerBuffer: { readonly size: number; readonly duration: number };
  /** ms that a viewer may take to empty its socket. */
  readonly slowTimeout: number;
  readonly maxViewers: number;
}

const protocolOf = (framing: Exclude<Framing, 'peer'>) => (framing === 'websocket' ? 'ws-flv' : 'flv');

export interface RelayHooks {
  /** An endpoint delivered it for the first time. Returns whether there is room for it; it ends where there is none. */
  onProven(): boolean;
  /** So many bytes were made for viewers who join now. */
  onJoinFrame(bytes: number): void;
  /** It ended; whoever holds it forgets it. */
  onClose(): void;
}

export class Relay {
  readonly route: RelayPath;
  /** Who started it; undefined: another worker. */
  readonly client: string | undefined;
  readonly #settings: RelaySettings;
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #hooks: RelayHooks;
  readonly #source: Source;
  readonly #stream: Outgoing;
  readonly #audience: Audience;
  readonly #waiting: WaitingRoom;
  readonly #batch: Batch;
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
    this.#metrics = metrics;
    this.#now = tools.now;
    this.#hooks = hooks;
    this.#stream = new Outgoing(
      settings.gopLimits,
      tools.now,
      (direction) => metrics.relayTimestampJumps.inc({ direction }),
      (bytes) => hooks.onJoinFrame(bytes),
    );
    this.#batch = new Batch(settings.mergeWindow, tools.now, () => this.#cut());
    this.#waiting = new WaitingRoom((viewer) => {
      viewer.hooks.onRefused(new WeirError('upstream_first_byte_timeout'));
      this.#lingerWhenEmpty();
    });
    this.#audience = new Audience(
      settings,
      {
        onDelivery: (viewer, delivery) => this.#onDelivery(viewer, delivery),
        onDelivered: (window, sent) => {
          const { traffic } = metrics;
          traffic.sent.flv += window.frame.length * (sent.chunked + sent.raw);
          traffic.sent['ws-flv'] += window.frame.length * sent.websocket;
          this.#schedule();
        },
      },
      tools.now,
    );
    this.#source = new Source(route, settings, tools, this.#stream, {
      onSplice: (pull, cause) => this.#onSplice(pull, cause),
      onTag: (tag) => this.#onTag(tag),
      onChunk: (bytes) => this.#onChunk(bytes),
      onWrongTagSize: () => metrics.relayWrongTagSizes.inc(),
      onLost: (cause) => this.#onLost(cause),
      onGivenUp: (error) => this.#end(error),
      onPullEnded: (outcome) => metrics.relayPulls.inc({ outcome }),
      onRetry: (cause) => metrics.retries.inc({ cause }),
    });
  }

  /** May end at once, which refuses the viewers that wait. */
  start(): void {
    this.#source.start();
  }

  get isFromPeer(): boolean {
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

  get full(): boolean {
    return this.#audience.size + this.#waiting.size >= this.#settings.maxViewers;
  }

  attach(viewer: Viewer): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    this.#idleSince = undefined;
    if (this.#state === 'live') {
      this.#join(viewer);
      return;
    }
    this.#waiting.add(viewer, this.#settings.firstByteTimeout);
  }

  /** The viewer left, or is to get no more. Safe to call for one that is not here. */
  detach(viewer: Viewer): void {
    const was = this.#waiting.delete(viewer) || this.#audience.delete(viewer);
    if (was) this.#lingerWhenEmpty();
  }

  /** Closes a viewer without a clean end: what its socket still holds would have to leave first. */
  drop(viewer: Viewer): void {
    this.detach(viewer);
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

  report(): RelayReport {
    const viewers: Record<Framing, number> = { chunked: 0, raw: 0, websocket: 0, peer: 0 };
    for (const viewer of this.#audience) viewers[viewer.framing] += 1;
    const { cache, meter } = this.#stream;
    const { bytesPerSecond, groupLength } = meter;
    return {
      channel: this.route.channel,
      path: this.route.path,
      state: this.#state,
      endpoint: this.#source.current?.pick.endpoint.address,
      fromPeer: this.#source.fromPeer,
      videoCodec: cache.codecs.video,
      audioCodec: cache.codecs.audio,
      bitrate: bytesPerSecond === undefined ? undefined : Math.round((bytesPerSecond * 8) / 1000),
      gopLength: groupLength,
      viewers,
      waiting: this.#waiting.size,
      failovers: this.#failovers,
    };
  }

  #onSplice(pull: Pull, cause: FailoverCause | undefined): void {
    if (cause !== undefined) {
      this.#failovers += 1;
      this.#metrics.relayFailovers.inc({ cause });
      const { lastAt } = this.#stream;
      if (lastAt !== undefined) this.#metrics.relayFailoverDuration.observe((this.#now() - lastAt) / 1000);
    }
    // What is left of the old pull belongs to the old cache.
    this.#cut();
    const { headers, tags } = this.#stream.begin(pull.cache);
    this.#batch.push(...headers);
    for (const tag of tags) this.#onTag(tag);
    this.#lostBy = undefined;
    this.#cutSoon = true;
  }

  #onTag(tag: FlvTag): boolean {
    const out = this.#stream.accept(tag);
    if (out === undefined) return false;
    const { groupLength } = this.#stream.meter;
    if (out.keyframe && groupLength !== undefined) this.#source.expectGroup(groupLength);
    this.#batch.push(out);
    return true;
  }

  #onChunk(bytes: number): boolean {
    const { traffic } = this.#metrics;
    if (this.#source.fromPeer) traffic.peers.received += bytes;
    else traffic.received.flv += bytes;
    const hasRoom = this.#batch.received(bytes);
    this.#schedule();
    return hasRoom;
  }

  #onLost(cause: FailoverCause): void {
    this.#lostBy = cause;
    this.#state = 'holding';
    this.#cut();
  }

  /** Not before the last window is through. */
  #schedule(): void {
    // What comes from another worker was gathered there.
    if (!this.#audience.busy) this.#batch.schedule(this.#cutSoon || this.#source.fromPeer);
  }

  #cut(): void {
    if (this.#batch.isEmpty) return;
    const { tags, bytes } = this.#batch.take();
    const window = this.#stream.window(tags, bytes);
    this.#source.resume();
    this.#metrics.relayWindowBytes.observe(window.frame.length);
    this.#audience.deliver(window, this.#viewerLimit());
    if (this.#cutSoon && this.#lostBy === undefined) {
      this.#cutSoon = false;
      this.#state = 'live';
      if (!this.#proven && !this.#prove()) return;
      for (const viewer of this.#waiting.empty()) this.#join(viewer);
    }
  }

  /** Media of viewerBuffer.duration, on top of a group of pictures that it may just have been given on joining. */
  #viewerLimit(): number {
    const { size, duration } = this.#settings.viewerBuffer;
    const { cache, meter } = this.#stream;
    const rate = meter.bytesPerSecond;
    return rate === undefined ? size : Math.min(size, (rate * duration) / 1000 + cache.bytes);
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
    if (frame !== null) this.#entered(viewer, frame.length);
  }

  #entered(viewer: Viewer, bytes: number): void {
    if (viewer.framing === 'peer') return;
    const protocol = protocolOf(viewer.framing);
    this.#metrics.relayJoin.observe({ protocol }, (this.#now() - viewer.attachedAt) / 1000);
    this.#metrics.traffic.sent[protocol] += bytes;
  }

  #onDelivery(viewer: Viewer, delivery: Exclude<Delivery, 'sent' | 'waiting'>): void {
    if (delivery === 'entered') this.#entered(viewer, 0);
    else if (delivery === 'skipped') this.#metrics.relaySkips.inc();
    else {
      this.#metrics.relaySlowCloses.inc();
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
    this.#lingerTimer = setTimeout(() => this.close(), this.#settings.linger);
  }

  #end(error: WeirError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.close();
    this.#batch.close();
    clearTimeout(this.#lingerTimer);
    const viewers = [...this.#audience];
    const waiting = this.#waiting.empty();
    this.#audience.close();
    this.#hooks.onClose();
    for (const viewer of viewers) viewer.hooks.onEnd();
    for (const viewer of waiting) viewer.hooks.onRefused(error);
  }
}
