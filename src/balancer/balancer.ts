// The choice of an endpoint for a request, with the handle that reports how it went.

import { type Failure, WeirError } from '../errors.js';
import type { ChannelName, Endpoint, ServerOrigin } from '../model.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { Candidates, type Field } from './candidates.js';
import { EndpointStates } from './endpoint-state.js';
import { type Explanation, whyPicked } from './explanation.js';
import type { OrcaReport } from './orca.js';
import { isEjected, isPanic, type OutlierSettings } from './outlier.js';
import { Placement } from './placement.js';
import type { Candidate, Outcome, PickContext, Policy, PolicyStatus } from './policy.js';
import type { PreferenceSettings } from './preference.js';

/** One choice. It occupies its server until `done`, which must be called and is safe to call again. */
export interface Pick {
  readonly endpoint: Endpoint;
  readonly server: ServerOrigin;
  /** The first body byte arrived: the endpoint is well, however long the stream goes on. */
  firstByte(): void;
  done(outcome: Outcome): void;
}

export interface PickOptions {
  /** Servers that already failed this request: never picked again for it. */
  readonly exclude?: readonly ServerOrigin[];
  /** Stay on the channel's endpoint within the margin; what one sticky pick chose, the next ones keep. */
  readonly sticky?: boolean;
  /** Of a sticky pick: one session asks, which may go to an endpoint of small weight without the channel's others. */
  readonly session?: boolean;
}

/** Whoever picks: the balancer, or what stands before it. */
export interface Picks {
  /** @throws WeirError not_ready before the first snapshot, unknown_channel, or no_endpoint */
  pick(channel: ChannelName, options?: PickOptions): Pick;
}

export interface BalancerSettings extends PreferenceSettings {
  /** The policy's name, for metrics. */
  readonly policy: string;
  readonly outlier: OutlierSettings & { readonly panicThreshold: number };
}

type Context = PickContext & { readonly settings: BalancerSettings };

/** What happened, for metrics and logs. */
export interface BalancerObserver {
  picked(outcome: Outcome): void;
  ejected(server: ServerOrigin, cause: Failure, forMs: number): void;
  /** An endpoint registered an address that may not be connected to. */
  refused(server: ServerOrigin): void;
}

/**
 * Picks endpoints of the current snapshot by one policy, with passive health. Subscribed to the store until `close`.
 */
export class Balancer implements Picks {
  readonly #store: SnapshotStore;
  #policy: Policy;
  readonly #settings: BalancerSettings;
  readonly #observer: BalancerObserver;
  readonly #now: () => number;
  readonly #states: EndpointStates;
  readonly #context: Context;
  readonly #candidates: Candidates;
  readonly #placement: Placement;

  constructor(options: {
    store: SnapshotStore;
    policy: Policy;
    settings: BalancerSettings;
    observer: BalancerObserver;
    /** False for servers that may not be connected to: they are never picked. */
    addressAllowed: (server: ServerOrigin) => boolean;
    /** Monotonic ms. */
    now: () => number;
    random: () => number;
  }) {
    this.#store = options.store;
    this.#policy = options.policy;
    this.#settings = options.settings;
    this.#observer = options.observer;
    this.#now = options.now;
    this.#states = new EndpointStates(options.settings.outlier);
    this.#placement = new Placement(options.random);
    this.#context = { now: 0, key: '', random: options.random, workers: 1, settings: options.settings };
    this.#candidates = new Candidates({
      store: options.store,
      addressAllowed: options.addressAllowed,
      now: options.now,
      panicThreshold: () => options.settings.outlier.panicThreshold,
      prefer: (candidates) => this.#placement.prefer(candidates, options.settings),
      states: this.#states,
      observer: {
        reported: (candidate) => this.#policy.onReport?.(candidate, this.#at(candidate.endpoint.channel)),
        dropped: (id) => {
          this.#placement.drop(id);
          this.#policy.onDrop?.(id);
        },
        left: (server) => this.#policy.onLeave?.(server),
        refused: (server) => this.#observer.refused(server),
        channelGone: (channel) => this.#placement.forget(channel),
      },
    });
  }

  /** @throws WeirError not_ready before the first snapshot, unknown_channel, or no_endpoint */
  pick(name: ChannelName, options: PickOptions = {}): Pick {
    const field = this.#candidates.of(name);
    const context = this.#at(name);
    const possible = this.#candidates.possible(field, context.now, options.exclude);
    const candidate = this.#placement.choose(name, possible, options, this.#policy, context);
    if (candidate === undefined) throw new WeirError('no_endpoint');
    return this.#begin(candidate);
  }

  /**
   * Draws whether the channel leaves this endpoint: for certain where it is not eligible any more, by chance where others are
   * better by more than the margin. It draws once for each report, and after true the next sticky pick goes elsewhere.
   */
  drawLeave(pick: Pick): boolean {
    const { id, channel } = pick.endpoint;
    if (!this.#store.current.channels.has(channel)) return true;
    return this.#placement.drawLeave(channel, id, this.#possible(channel), this.#context);
  }

  /** Whether a pick without these servers would find an endpoint. Picks none. */
  hasEligible(channel: ChannelName, exclude: readonly ServerOrigin[]): boolean {
    if (!this.#store.current.channels.has(channel)) return false;
    const { candidates, preference } = this.#possible(channel, exclude);
    return (preference?.usable ?? candidates).length > 0;
  }

  /**
   * What a pick would do now, and why.
   * @throws WeirError not_ready before the first snapshot, or unknown_channel
   */
  explain(name: ChannelName): Explanation {
    const { candidates: all } = this.#candidates.of(name);
    const field = this.#possible(name);
    const context = this.#at(name);
    const { candidates: possible, preference } = field;
    const eligible = preference?.preferred.all ?? possible;
    const kept = this.#placement.stayOf(name, field, context);
    const drawn = () =>
      preference === undefined
        ? possible[possible.length > 0 ? this.#policy.pick(possible, context) : -1]
        : preference.preferred.preview(this.#policy, context);
    const picked = kept ?? drawn();
    const ejected = all.filter((candidate) => isEjected(candidate.state, context.now)).length;
    const termsOf = (candidate: Candidate) => this.#policy.terms(candidate, context, eligible);
    const contestants = eligible.map((one) => ({ id: one.endpoint.id, terms: termsOf(one) }));
    return {
      channel: name,
      policy: this.#settings.policy,
      panic: isPanic(ejected, all.length, this.#settings.outlier.panicThreshold),
      zoneSpill: preference?.spill ?? 0,
      picked: picked?.endpoint.id,
      why: picked && whyPicked(this.#policy, picked.endpoint.id, contestants, kept !== undefined),
      endpoints: all.map((candidate) => ({
        endpoint: candidate.endpoint,
        terms: termsOf(candidate),
        eligible: eligible.includes(candidate),
        reason: possible.includes(candidate) ? preference?.leavesOut(candidate) : this.#candidates.reason(candidate),
        weightShare: preference?.preferred.limitOf(candidate),
        reportAgeMs: context.now - candidate.reportedAt,
        inFlight: candidate.state.inFlight,
        consecutiveFailures: candidate.state.consecutiveFailures,
        ejectedForMs: Math.max(0, candidate.state.ejectedUntil - context.now),
        sticky: this.#placement.of(name) === candidate.endpoint.id,
      })),
    };
  }

  /** An origin reported its load with an answer. */
  refresh(server: ServerOrigin, report: OrcaReport): void {
    this.#candidates.refresh(server, report);
  }

  /** For metrics: the age of the reports in ms, and what the policy learned. */
  status(): {
    readonly reportAgeMs: { readonly mean: number; readonly oldest: number };
    readonly policy: PolicyStatus;
  } {
    const context = this.#at('');
    return {
      reportAgeMs: this.#candidates.reportAgeMs(context.now),
      policy: this.#policy.status?.(context) ?? { gain: 0, busiest: [] },
    };
  }

  /** Servers that passive health keeps out now. */
  ejected(): number {
    const now = this.#now();
    return [...this.#candidates.servers.keys()].filter((server) => isEjected(this.#states.of(server), now)).length;
  }

  /** The channel's sticky picks stay on this endpoint, as long as they would if it had been picked here. */
  stick(endpoint: Endpoint): void {
    const candidate = this.#candidates.get(endpoint.id);
    if (candidate !== undefined) this.#placement.stick(endpoint.channel, candidate);
  }

  /** Picks by another policy from now on; it learns of every endpoint as if it had just reported. */
  usePolicy(policy: Policy): void {
    this.#policy = policy;
    for (const candidate of this.#candidates) policy.onReport?.(candidate, this.#at(candidate.endpoint.channel));
  }

  /** Picks of this balancer that are not done, by server: those of servers where that changed since the last call. */
  inFlightChanges(): [ServerOrigin, number][] {
    return this.#states.inFlightChanges();
  }

  /**
   * What the edge's other processes have in flight: policies see the sum.
   *
   * @param whole where nothing is said, they have nothing; else what they had
   */
  setInFlightElsewhere(counts: Iterable<readonly [ServerOrigin, number]>, whole: boolean): void {
    this.#states.setInFlightElsewhere(counts, whole);
  }

  /** Processes of this edge that pick each on its own, this one among them. */
  setWorkers(count: number): void {
    this.#context.workers = count;
  }

  /** What health checks found of servers: a share of a failure each; below 0 it is taken back. */
  probed(findings: Iterable<readonly [server: ServerOrigin, cause: Failure, weight: number]>): void {
    for (const [server, cause, weight] of findings) this.#failed(server, cause, this.#now(), weight);
  }

  /** What `addressAllowed` says has changed. */
  judgeAddresses(): void {
    this.#candidates.judgeAddresses();
  }

  /** The settings have changed. */
  configured(): void {
    this.#candidates.forgetPreferences();
  }

  close(): void {
    this.#candidates.close();
  }

  #at(name: string): Context {
    this.#context.now = this.#now();
    this.#context.key = name;
    return this.#context;
  }

  #possible(channel: ChannelName, exclude?: readonly ServerOrigin[]): Field {
    return this.#candidates.possible(this.#candidates.of(channel), this.#at(channel).now, exclude);
  }

  #begin(candidate: Candidate): Pick {
    const { endpoint } = candidate;
    const { server } = candidate.state;
    const startedAt = this.#context.now;
    this.#states.acquire(server);
    this.#policy.onStart?.(candidate, this.#context);
    let well = false;
    let ended = false;
    const succeeded = (now: number) => {
      if (well) return;
      well = true;
      this.#states.succeeded(server, now);
    };
    return {
      endpoint,
      server,
      firstByte: () => {
        if (well || ended) return;
        const context = this.#at(endpoint.channel);
        succeeded(context.now);
        this.#policy.onFirstByte?.(candidate, context.now - startedAt, context);
      },
      done: (outcome) => {
        if (ended) return;
        ended = true;
        const context = this.#at(endpoint.channel);
        this.#states.release(server);
        if (outcome === 'success') succeeded(context.now);
        else if (outcome !== 'abandoned' && outcome !== 'interrupted') this.#failed(server, outcome, context.now);
        this.#policy.onDone?.(candidate, outcome, context.now - startedAt, context);
        this.#observer.picked(outcome);
      },
    };
  }

  #failed(server: ServerOrigin, cause: Failure, now: number, weight = 1): void {
    if (!this.#candidates.servers.has(server) || !this.#states.failed(server, now, weight)) return;
    this.#observer.ejected(server, cause, this.#states.of(server).ejectedUntil - now);
  }
}
