// Keeps one live pull under a relay: carries out what the failover decides, and tells it what comes of it. Knows nothing of
// viewers and timestamps.

import type { Pick, Picks } from '../../balancer/balancer.js';
import type { Outcome } from '../../balancer/policy.js';
import { toWeirError, type WeirError } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { ChannelName, PeerKind } from '../../model.js';
import type { ChannelSource } from '../../snapshot/store.js';
import type { UpstreamClient } from '../../upstream/client.js';
import { judgeError } from '../../upstream/judge.js';
import { type ChannelPath, type UpstreamTarget, upstreamTarget } from '../../upstream/target.js';
import type { GopCache } from '../flv/gop-cache.js';
import type { FlvTag } from '../flv/tag.js';
import { Endpoints, stallTimeoutOf } from './endpoints.js';
import { FailoverRun } from './failover-run.js';
import { demandOf, type Effect, type FailoverCause, wasLive } from './failover-state.js';
import { Pull, type PullFault, type PullSettings } from './pull.js';

/** How a pull ended: `left` for want of viewers or in favour of another. */
export type PullOutcome = PullFault | 'left';

/** What is pulled: the path of the player who came first, without a query. */
export type RelayPath = ChannelPath & { readonly channel: ChannelName };

/** What viewers were given so far. */
export interface GivenStream {
  /** Whether viewers could go over to what a pull brought and not notice. */
  recognises(arrival: GopCache): boolean;
  /** Whether a tag that viewers got is a picture that they had not got before. */
  isNew(tag: FlvTag): boolean;
}

/** How the relay hears of its source. */
export interface SourceObserver {
  /** Another pull delivers from now on, beginning with what is in its cache. `cause` is undefined at first. */
  onSplice(pull: Pull, cause: FailoverCause | undefined): void;
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
  /** Not of what is taken from a peer: that is pulled, and told, there. */
  onPullEnded(outcome: PullOutcome): void;
  /** Another endpoint is tried, since one failed before it delivered. */
  onRetry(error: WeirError): void;
}

/** For how long endpoints and viewers are waited for. */
export interface SourceSettings extends Omit<PullSettings, 'firstTagTimeoutMs'> {
  /** From a viewer's request to its first byte. */
  readonly firstByteTimeoutMs: number;
  /** How long viewers are held without a pull. */
  readonly graceMs: number;
}

/** What all sources share. */
export interface SourceTools {
  readonly balancer: Picks;
  readonly client: UpstreamClient;
  readonly store: ChannelSource;
  /** Header fields of the request to an endpoint. */
  readonly headers: Record<string, string>;
  readonly logger: Logger;
  /** Says that a stream failed which nobody delivered yet, which any player can bring about. */
  readonly sayUndelivered: (fields: object) => void;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Longer groups of pictures are not believed: an odd clock would excuse every lack of keyframes. */
const maxGroupMs = 300_000;

/** Nothing happens before `start`. */
export class PullSource {
  readonly #channel: RelayPath;
  readonly #settings: SourceSettings;
  readonly #tools: SourceTools;
  readonly #stream: GivenStream;
  readonly #observer: SourceObserver;
  readonly #endpoints: Endpoints;
  readonly #failover: FailoverRun<Pull>;
  /** Longest group of pictures seen. */
  #groupMs = 0;

  constructor(
    channel: RelayPath,
    settings: SourceSettings,
    tools: SourceTools,
    stream: GivenStream,
    observer: SourceObserver,
  ) {
    this.#channel = channel;
    this.#settings = settings;
    this.#tools = tools;
    this.#stream = stream;
    this.#observer = observer;
    this.#failover = new FailoverRun(settings.graceMs, tools.now, (effect) => this.#carryOut(effect));
    this.#endpoints = new Endpoints(channel.channel, tools, () => this.#onRegistry());
  }

  /** The kind of peer that delivers, while one does. */
  get fromPeer(): PeerKind | undefined {
    return this.current?.pick.endpoint.peer;
  }

  /** The pull that delivers now. */
  get current(): Pull | undefined {
    return this.#failover.glance.current;
  }

  /** May give up at once. */
  start(): void {
    this.#failover.tell({ on: 'start' });
  }

  /** After a pause that the observer asked for. */
  resume(): void {
    this.current?.resume();
  }

  /** A group of pictures of this length was seen: keyframes so far apart are normal. */
  expectGroup(lengthMs: number): void {
    this.#groupMs = Math.min(Math.max(this.#groupMs, lengthMs), maxGroupMs);
    this.current?.expectGroup(this.#groupMs);
  }

  /** Leaves all pulls. The observer hears nothing more. Idempotent. */
  close(): void {
    this.#failover.tell({ on: 'close' });
  }

  #carryOut(effect: Effect<Pull>): void {
    switch (effect.do) {
      case 'choose':
        this.#choose(effect.besides, effect.retryOf);
        break;
      case 'leave':
        this.#leave(effect.pull, effect.outcome);
        break;
      case 'splice':
        this.#splice(effect.pull, effect.cause);
        break;
      case 'hold':
        this.#observer.onLost(effect.cause);
        break;
      case 'consider':
        this.#consider(effect.pull);
        break;
      case 'blame':
        this.#endpoints.blame(effect.pull.pick);
        break;
      case 'pardon':
        this.#endpoints.pardon();
        break;
      case 'end':
        this.#endpoints.close();
        if (effect.error !== undefined) this.#observer.onGivenUp(effect.error);
        break;
    }
  }

  #choose(besides: Pull | undefined, retryOf: WeirError | undefined): void {
    let pick: Pick | undefined;
    let target: UpstreamTarget;
    try {
      pick = this.#endpoints.pick(besides?.pick);
      target = upstreamTarget(pick.endpoint.address, this.#channel);
    } catch (thrown) {
      pick?.done('abandoned');
      const error = toWeirError(thrown);
      this.#failover.tell({ on: 'nobody', error, mayPass: judgeError(error, 'stream').elsewhere });
      return;
    }
    if (retryOf !== undefined) this.#observer.onRetry(retryOf);
    this.#begin(pick, target);
  }

  #begin(pick: Pick, { server, path }: UpstreamTarget): void {
    const { client, headers, now } = this.#tools;
    const pull: Pull = new Pull(
      pick,
      this.#settingsFor(pick),
      {
        onTag: (tag) => this.#onTag(tag),
        onChunk: (bytes) => this.#onChunk(pull, bytes),
        onWrongTagSize: () => this.#observer.onWrongTagSize(),
        onFault: (fault, error) => this.#onFault(pull, fault, error),
        onKeyframeOverdue: () => this.#failover.tell({ on: 'overdue', pull }),
      },
      now,
    );
    pull.expectGroup(this.#groupMs);
    this.#failover.tell({ on: 'picked', pull });
    // No player's credentials are among them: they may go wherever the endpoint redirects.
    pull.start(client, { server, path, method: 'GET', headers, follow: () => headers });
  }

  #settingsFor({ endpoint }: Pick): PullSettings {
    const { firstByteTimeoutMs } = this.#settings;
    const stallTimeoutMs = stallTimeoutOf(endpoint, this.#settings);
    // Where there is another endpoint to try, the first viewers' patience is to last for it.
    const isAlone = this.#endpoints.isAlone && !wasLive(this.#failover.state);
    const firstTagTimeoutMs = isAlone ? firstByteTimeoutMs : Math.min(firstByteTimeoutMs, stallTimeoutMs);
    return { ...this.#settings, stallTimeoutMs, firstTagTimeoutMs };
  }

  #leave(pull: Pull, outcome: Outcome): void {
    pull.close(outcome);
    this.#ended(pull, 'left');
  }

  #ended({ pick }: Pull, outcome: PullOutcome): void {
    if (pick.endpoint.peer === undefined) this.#observer.onPullEnded(outcome);
  }

  #splice(pull: Pull, cause: FailoverCause | undefined): void {
    this.#endpoints.prove();
    pull.goLive();
    this.#observer.onSplice(pull, cause);
    pull.cache.dropGroup();
    const { channel } = this.#channel;
    this.#tools.logger.info({ channel, endpoint: pull.pick.endpoint.address, cause }, 'relay source live');
    // It was the last one: it is left again as soon as there is another.
    if (this.#endpoints.registrationOf(pull.pick.endpoint) === 'draining') this.#onRegistry();
  }

  #onTag(tag: FlvTag): boolean {
    if (tag.keyframe && this.#failover.glance.awaitsKeyframe) this.#failover.tell({ on: 'keyframe' });
    const isTaken = this.#observer.onTag(tag);
    if (isTaken && this.#failover.glance.awaitsPicture && this.#stream.isNew(tag))
      this.#failover.tell({ on: 'picture' });
    return isTaken;
  }

  #onChunk(pull: Pull, bytes: number): boolean {
    if (pull === this.#failover.glance.candidate) this.#consider(pull);
    const goOn = this.#observer.onChunk(bytes);
    return goOn || pull !== this.current;
  }

  /** One that sends the frames that viewers know need not wait. */
  #consider(pull: Pull): void {
    const isReady =
      pull.isReady(demandOf(this.#failover.state)) ||
      (wasLive(this.#failover.state) && pull.isReady('startable') && this.#stream.recognises(pull.cache));
    if (isReady) this.#failover.tell({ on: 'ready', pull });
  }

  #onFault(pull: Pull, fault: PullFault, error: WeirError): void {
    this.#ended(pull, fault);
    const { endpoint } = pull.pick;
    const fields = { channel: this.#channel.channel, endpoint: endpoint.address, fault, detail: error.message };
    if (wasLive(this.#failover.state)) this.#tools.logger.warn(fields, 'relay source failed');
    else this.#tools.sayUndelivered(fields);
    this.#failover.tell({ on: 'failed', pull, fault, error, isFinal: this.#endpoints.isFinal(fault, endpoint) });
  }

  #onRegistry(): void {
    const candidate = this.#failover.glance.candidate;
    this.#failover.tell({
      on: 'registry',
      current: this.current === undefined ? 'deregistered' : this.#endpoints.registrationOf(this.current.pick.endpoint),
      isCandidateRegistered: candidate !== undefined && this.#endpoints.has(candidate.pick.endpoint.address),
    });
  }
}
