// Keeps one live pull under a relay: starts it, moves to another endpoint when it fails or its endpoint leaves the
// registry, and gives up when that takes too long. Knows nothing of viewers and timestamps.

import type { Pick, Picks } from '../balancer/balancer.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { ChannelName, EndpointId, ServerOrigin, ServiceAddress, Snapshot } from '../model.js';
import { isPeer, serverOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { Change } from '../snapshot/update.js';
import type { UpstreamClient } from '../upstream/client.js';
import { type ChannelPath, upstreamTarget } from '../upstream/target.js';
import type { FlvTag } from './flv-tag.js';
import { Pull, type PullFault, type PullSettings } from './pull.js';
import { Recovery } from './recovery.js';
import { Suspects } from './suspects.js';

/** Why a relay moves to another endpoint. */
export type FailoverCause = PullFault | 'deregistered' | 'moved';
/** How a pull ended: `left` for want of viewers or in favour of another. */
export type PullOutcome = PullFault | 'left';

/** What is pulled: the path of the player who came first, without a query. */
export type RelayPath = ChannelPath & { readonly channel: ChannelName };

export interface SourceObserver {
  /** Whether viewers could go over to this pull without a seam at any time. */
  continues(pull: Pull): boolean;
  /** Another pull delivers from now on, beginning with what is in its cache. `cause` is undefined at first. */
  onSplice(pull: Pull, cause: FailoverCause | undefined): void;
  /** Whether a tag that viewers got is a picture that they had not got before. */
  isNew(tag: FlvTag): boolean;
  /** Returns whether viewers get it. */
  onTag(tag: FlvTag): boolean;
  /** Returns false to pause the pull that delivers until `resume`. */
  onChunk(bytes: number): boolean;
  /** An origin writes the sizes behind its tags wrongly. */
  onWrongTagSize(): void;
  /** No pull delivers now; viewers are to be held. */
  onLost(cause: FailoverCause): void;
  /** It is over: no endpoint delivered in time. Nothing comes after. */
  onGivenUp(error: WeirError): void;
  onPullEnded(outcome: PullOutcome): void;
}

export interface SourceSettings extends Omit<PullSettings, 'firstTagTimeout'> {
  /** ms */
  readonly firstByteTimeout: number;
  /** How long viewers are held without a pull, in ms. */
  readonly grace: number;
}

export interface SourceTools {
  readonly balancer: Picks;
  readonly client: UpstreamClient;
  readonly store: SnapshotStore;
  /** Header fields of the request to an endpoint. */
  readonly headers: Record<string, string>;
  readonly logger: Logger;
  /** Says that a stream failed which nobody delivered yet, which any player can bring about. */
  readonly sayUndelivered: (fields: object) => void;
  /** Monotonic ms. */
  readonly now: () => number;
}

/**
 * How long a new pull is listened to before it takes over, in ms: an origin opens with a burst out of its own cache, and
 * only when that is over is it known where its live edge is.
 */
const settle = 250;

/** Groups of pictures longer than this, in ms, are not believed: an odd clock would excuse every lack of keyframes. */
const longestGroup = 300_000;

export class Source {
  readonly #channel: RelayPath;
  readonly #tools: SourceTools;
  readonly #settings: SourceSettings;
  readonly #observer: SourceObserver;
  readonly #unsubscribe: () => void;
  #current: Pull | undefined;
  #candidate: Pull | undefined;
  /** Set while the current pull is to be left although it delivers. */
  #leaving: 'deregistered' | 'moved' | 'no_keyframe' | undefined;
  #lostBy: FailoverCause | undefined;
  readonly #recovery: Recovery;
  #known: ReadonlySet<EndpointId>;
  /** ms; longest group of pictures seen. */
  #group = 0;
  #lastError: WeirError | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  readonly #suspects = new Suspects();
  #everLive = false;
  #closed = false;

  constructor(channel: RelayPath, settings: SourceSettings, tools: SourceTools, observer: SourceObserver) {
    this.#channel = channel;
    this.#settings = settings;
    this.#tools = tools;
    this.#observer = observer;
    this.#recovery = new Recovery(settings.grace, tools.now, () => this.#onGraceOver());
    this.#known = idsOf(tools.store.current, channel.channel);
    this.#unsubscribe = tools.store.subscribe((snapshot, change) => this.#onSnapshot(snapshot, change));
  }

  /** True while another worker delivers. */
  get fromPeer(): boolean {
    return this.#current !== undefined && isPeer(this.#current.pick.server);
  }

  /** The pull that delivers now. */
  get current(): Pull | undefined {
    return this.#current;
  }

  start(): void {
    this.#connect();
  }

  /** After a pause that the observer asked for. */
  resume(): void {
    this.#current?.resume();
  }

  /** A group of pictures of this length, in ms, was seen: keyframes so far apart are normal. */
  expectGroup(length: number): void {
    this.#group = Math.min(Math.max(this.#group, length), longestGroup);
    this.#current?.expectGroup(this.#group);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    clearTimeout(this.#retryTimer);
    this.#recovery.close();
    this.#leave(this.#current, 'success');
    this.#leave(this.#candidate, 'abandoned');
    this.#suspects.close();
    this.#current = undefined;
    this.#candidate = undefined;
  }

  #leave(pull: Pull | undefined, outcome: 'success' | 'abandoned' | 'stall'): void {
    if (pull === undefined) return;
    pull.close(outcome);
    this.#ended(pull, 'left');
  }

  /** What is taken from another worker is pulled, and told, there. */
  #ended(pull: Pull, outcome: PullOutcome): void {
    if (!isPeer(pull.pick.server)) this.#observer.onPullEnded(outcome);
  }

  #connect(): void {
    if (this.#closed || this.#candidate !== undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    const exclude = this.#recovery.failed.list();
    if (this.#leaving === 'no_keyframe' && this.#current !== undefined) exclude.push(this.#current.pick.server);
    let pick: Pick;
    try {
      pick = this.#suspects.watch(this.#tools.balancer.pick(this.#channel.channel, { exclude }));
    } catch (error) {
      this.#nobodyLeft(toWeirError(error));
      return;
    }
    this.#open(pick);
  }

  #open(pick: Pick): void {
    const { firstByteTimeout, grace } = this.#settings;
    // Another worker holds its viewers through a failover of its own, and closes them when it gives up.
    const stallTimeout = this.#settings.stallTimeout + (isPeer(pick.server) ? grace : 0);
    // Where there is another endpoint to try, the first viewers' patience is to last for it.
    const alone = this.#known.size <= 1 && !this.#everLive;
    const firstTagTimeout = alone ? firstByteTimeout : Math.min(firstByteTimeout, stallTimeout);
    const pull: Pull = new Pull(
      pick,
      { ...this.#settings, stallTimeout, firstTagTimeout },
      {
        onTag: (tag) => this.#onTag(tag),
        onChunk: (bytes) => this.#onChunk(pull, bytes),
        onWrongTagSize: () => this.#observer.onWrongTagSize(),
        onFault: (fault, error) => this.#onFault(pull, fault, error),
        onKeyframeOverdue: () => this.#onKeyframeOverdue(pull),
      },
      this.#tools.now,
    );
    pull.expectGroup(this.#group);
    this.#candidate = pull;
    const { server, path } = upstreamTarget(pick.endpoint.address, this.#channel);
    const { client, headers } = this.#tools;
    // No player's credentials are among them: they may go wherever the endpoint redirects.
    pull.start(client, { server, path, method: 'GET', headers, follow: () => headers });
  }

  #onTag(tag: FlvTag): boolean {
    if (tag.keyframe && this.#leaving === 'no_keyframe') this.#stay();
    const isTaken = this.#observer.onTag(tag);
    if (isTaken && this.#recovery.wantsNews && this.#observer.isNew(tag)) this.#recovery.onNewPicture();
    return isTaken;
  }

  #onChunk(pull: Pull, bytes: number): boolean {
    if (pull === this.#candidate) this.#considerCandidate(pull);
    const goOn = this.#observer.onChunk(bytes);
    return goOn || pull !== this.#current;
  }

  /**
   * A first pull takes over as soon as a viewer can start. A successor does so when its opening burst is over, and while
   * the old pull lives only with something new; one that sends the frames viewers know need not wait.
   */
  #considerCandidate(pull: Pull): void {
    const ready = this.#current === undefined ? pull.startable(this.#everLive ? settle : 0) : pull.atLiveEdge(settle);
    if (ready || (this.#everLive && pull.startable(0) && this.#observer.continues(pull))) this.#promote(pull);
  }

  #promote(pull: Pull): void {
    const old = this.#current;
    const cause = this.#leaving ?? this.#lostBy;
    this.#current = pull;
    this.#candidate = undefined;
    this.#everLive = true;
    this.#recovery.onLive();
    this.#suspects.exists();
    const outcome = this.#leaving === 'no_keyframe' ? 'stall' : 'success';
    this.#leaving = undefined;
    this.#lostBy = undefined;
    pull.goLive();
    this.#leave(old, outcome);
    this.#observer.onSplice(pull, cause);
    pull.cache.dropGroup();
    const { channel } = this.#channel;
    this.#tools.logger.info({ channel, endpoint: pull.pick.endpoint.address, cause }, 'relay source live');
  }

  #onFault(pull: Pull, fault: PullFault, error: WeirError): void {
    this.#ended(pull, fault);
    this.#lastError = error;
    const { endpoint } = pull.pick;
    const fields = { channel: this.#channel.channel, endpoint: endpoint.address, fault, detail: error.message };
    if (this.#everLive) this.#tools.logger.warn(fields, 'relay source failed');
    else this.#tools.sayUndelivered(fields);
    if (pull === this.#candidate) {
      this.#candidate = undefined;
      this.#recovery.failed.add(pull.pick.server, endpoint.id);
      this.#connect();
      return;
    }
    if (fault === 'end' && this.#isOwner(pull.pick.server)) {
      // It held its viewers, this one among them, as long as any are held.
      this.#giveUp(error);
      return;
    }
    this.#recovery.onLost(pull.pick.server, endpoint.id);
    this.#current = undefined;
    this.#lostBy = this.#leaving ?? fault;
    this.#leaving = undefined;
    this.#observer.onLost(this.#lostBy);
    if (this.#candidate?.startable(settle) === true) this.#promote(this.#candidate);
    else this.#connect();
  }

  /** True for another worker that has the channel now. */
  #isOwner(server: ServerOrigin): boolean {
    const endpoints = this.#tools.store.channel(this.#channel.channel)?.endpoints ?? [];
    return isPeer(server) && endpoints.some(({ address }) => serverOf(address) === server);
  }

  #onKeyframeOverdue(pull: Pull): void {
    if (pull === this.#candidate) {
      // Its own cache had a keyframe: better than none.
      if (pull.startable(settle)) {
        this.#promote(pull);
        return;
      }
      pull.close('stall');
      this.#onFault(pull, 'no_keyframe', new WeirError('upstream_idle_timeout', { detail: 'No keyframe came.' }));
      return;
    }
    if (this.#leaving !== undefined || this.#candidate !== undefined) return;
    // Tags still come: it is left only for another one.
    this.#leaving = 'no_keyframe';
    this.#connect();
  }

  /** A pick found nobody. Those who failed get another chance after a pause; a deregistered channel is waited for. */
  #nobodyLeft(error: WeirError): void {
    if (this.#leaving === 'no_keyframe') {
      this.#leaving = undefined;
      return;
    }
    // The next worker takes over in a moment: whoever waits for the stream has a deadline of its own.
    if (!this.#everLive && error.code !== 'worker_lost') {
      this.#giveUp(this.#lastError ?? error);
      return;
    }
    const wait = this.#recovery.nextTry();
    if (wait === undefined) this.#giveUp(new WeirError('no_endpoint'));
    else this.#retryTimer = setTimeout(() => this.#connect(), wait);
  }

  #onSnapshot(snapshot: Snapshot, change: Change): void {
    const { channel } = this.#channel;
    const isNew = change.put.some((endpoint) => endpoint.channel === channel && !this.#known.has(endpoint.id));
    if (!isNew && !change.drop.some((endpoint) => endpoint.channel === channel)) return;
    this.#known = idsOf(snapshot, channel);
    const addresses = new Set(snapshot.channels.get(channel)?.endpoints.map((endpoint) => endpoint.address));
    this.#recovery.failed.forgive(snapshot.channels.get(channel)?.endpoints ?? []);
    if (this.#candidate !== undefined && !addresses.has(this.#candidate.pick.endpoint.address)) {
      this.#leave(this.#candidate, 'abandoned');
      this.#candidate = undefined;
    }
    const registered = this.#current !== undefined && addresses.has(this.#current.pick.endpoint.address);
    if (registered && (this.#leaving === 'deregistered' || this.#leaving === 'moved')) this.#stay();
    if (this.#current !== undefined && !registered) this.#leaveWhenThereIsAnother(addresses);
    if (this.#current === undefined || this.#leaving !== undefined) this.#connect();
  }

  /** @param addresses those registered for the channel now */
  #leaveWhenThereIsAnother(addresses: ReadonlySet<ServiceAddress>): void {
    // From one worker to another, or between a worker and the endpoints: what delivers now is well, and not left before.
    const moved = addresses.size > 0 && (this.fromPeer || [...addresses].some((address) => isPeer(serverOf(address))));
    const leaving = moved ? 'moved' : 'deregistered';
    if (this.#leaving === leaving) return;
    this.#leaving = leaving;
    if (!moved) this.#recovery.onDeregistered();
  }

  /** The endpoint was registered again before another one took over. */
  #stay(): void {
    this.#leaving = undefined;
    this.#recovery.onRegistered();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#leave(this.#candidate, 'abandoned');
    this.#candidate = undefined;
  }

  /** What delivers now may yet prove itself; when it fails, only endpoints that did not fail yet are tried. */
  #onGraceOver(): void {
    if (this.#current === undefined || this.#leaving === 'deregistered') this.#giveUp(new WeirError('no_endpoint'));
  }

  #giveUp(error: WeirError): void {
    this.close();
    this.#observer.onGivenUp(error);
  }
}

function idsOf(snapshot: Snapshot, channel: ChannelName): ReadonlySet<EndpointId> {
  return new Set(snapshot.channels.get(channel)?.endpoints.map((endpoint) => endpoint.id));
}
