// The choice of an endpoint for a request, with the handle that reports how it went.

import { type Failure, WeirError } from '../errors.js';
import type { ChannelName, Endpoint, EndpointId, ServerOrigin, Snapshot } from '../model.js';
import { serverOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { Change } from '../snapshot/update.js';
import { Affinity, type AffinitySettings } from './affinity.js';
import { EndpointStates } from './endpoint-state.js';
import { type Explanation, type Ineligible, whyPicked } from './explanation.js';
import type { OrcaReport } from './orca.js';
import { isEjected, isPanic, type OutlierSettings } from './outlier.js';
import type { Candidate, Outcome, PickContext, Policy, PolicyStatus } from './policy.js';

/** ms between two reports with an answer that are taken in. */
const REFRESH_INTERVAL = 250;

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
}

/** Whoever picks: the balancer, or what stands before it. */
export interface Picks {
  /** Throws a WeirError: not_ready before the first snapshot, unknown_channel, or no_endpoint. */
  pick(channel: ChannelName, options?: PickOptions): Pick;
}

export interface BalancerSettings extends AffinitySettings {
  /** The policy's name, for metrics. */
  readonly policy: string;
  readonly outlier: OutlierSettings & { readonly panicThreshold: number };
}

type Context = PickContext & { readonly settings: BalancerSettings };

/** What happened, for metrics and logs. */
export interface BalancerObserver {
  picked(outcome: Outcome): void;
  ejected(server: ServerOrigin, cause: Failure, forMilliseconds: number): void;
  /** An endpoint registered an address that may not be connected to. */
  refused(server: ServerOrigin): void;
}

export class Balancer implements Picks {
  readonly #store: SnapshotStore;
  #policy: Policy;
  readonly #settings: BalancerSettings;
  readonly #observer: BalancerObserver;
  readonly #now: () => number;
  readonly #addressAllowed: (server: ServerOrigin) => boolean;
  readonly #states: EndpointStates;
  readonly #context: Context;
  readonly #reports = new Map<EndpointId, Candidate>();
  /** The endpoints of each server. */
  readonly #endpointsOf = new Map<ServerOrigin, Set<EndpointId>>();
  /** Servers that may not be connected to. */
  readonly #refused = new Set<ServerOrigin>();
  /** Candidates of a channel, made at its first pick after a change. */
  readonly #candidates = new Map<ChannelName, readonly Candidate[]>();
  readonly #affinity = new Affinity();
  readonly #unsubscribe: () => void;

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
    this.#addressAllowed = options.addressAllowed;
    this.#now = options.now;
    this.#states = new EndpointStates(options.settings.outlier);
    this.#context = { now: 0, key: '', random: options.random, workers: 1, settings: options.settings };
    const { current } = options.store;
    this.#changed(current, { put: [...current.channels.values()].flatMap((channel) => channel.endpoints), drop: [] });
    this.#unsubscribe = options.store.subscribe((snapshot, change) => this.#changed(snapshot, change), 'candidates');
  }

  /** Throws a WeirError: not_ready before the first snapshot, unknown_channel, or no_endpoint. */
  pick(name: ChannelName, options: PickOptions = {}): Pick {
    const all = this.#candidatesOf(name);
    const context = this.#at(name);
    const eligible = this.#eligible(all, context.now, options.exclude);
    if (eligible.length === 0) throw new WeirError('no_endpoint');
    const index = this.#choose(name, eligible, options.sticky === true);
    const candidate = eligible[index] ?? eligible[0];
    if (candidate === undefined) throw new WeirError('no_endpoint');
    if (options.sticky === true) this.#affinity.stick(name, candidate);
    return this.#begin(candidate);
  }

  /**
   * Draws whether the channel leaves this endpoint: for certain where it is not eligible any more, by chance where others are
   * better by more than the margin. It draws once for each report, and after true the next sticky pick goes elsewhere.
   */
  drawLeave(pick: Pick): boolean {
    const { id, channel } = pick.endpoint;
    if (this.#affinity.of(channel) !== id || !this.#store.current.channels.has(channel)) return true;
    const eligible = this.#eligible(this.#candidatesOf(channel), this.#at(channel).now, undefined);
    return this.#affinity.stay(channel, eligible, this.#context) < 0;
  }

  /** Whether a pick without these servers would find an endpoint. Picks none. */
  hasEligible(channel: ChannelName, exclude: readonly ServerOrigin[]): boolean {
    if (!this.#store.current.channels.has(channel)) return false;
    return this.#eligible(this.#candidatesOf(channel), this.#at(channel).now, exclude).length > 0;
  }

  /** What a pick would do now, and why. Throws like `pick`, but for no_endpoint. */
  explain(name: ChannelName): Explanation {
    const all = this.#candidatesOf(name);
    const context = this.#at(name);
    const eligible = this.#eligible(all, context.now, undefined);
    const kept = this.#affinity.mayStay(name, eligible, context);
    const picked = eligible[kept >= 0 ? kept : eligible.length > 0 ? this.#policy.pick(eligible, context) : -1];
    const { panicThreshold } = this.#settings.outlier;
    const ejected = all.filter((candidate) => isEjected(candidate.state, context.now)).length;
    const termsOf = (candidate: Candidate) => this.#policy.terms(candidate, context, eligible);
    const contestants = eligible.map((one) => ({ id: one.endpoint.id, terms: termsOf(one) }));
    return {
      channel: name,
      policy: this.#settings.policy,
      panic: isPanic(ejected, all.length, panicThreshold),
      picked: picked?.endpoint.id,
      why: picked && whyPicked(this.#settings.policy, picked.endpoint.id, contestants, kept >= 0),
      endpoints: all.map((candidate) => ({
        endpoint: candidate.endpoint,
        terms: termsOf(candidate),
        eligible: eligible.includes(candidate),
        reason: eligible.includes(candidate) ? undefined : this.#reason(candidate, context.now),
        reportAge: context.now - candidate.reportedAt,
        inFlight: candidate.state.inFlight,
        consecutiveFailures: candidate.state.consecutiveFailures,
        ejectedFor: Math.max(0, candidate.state.ejectedUntil - context.now),
        sticky: this.#affinity.of(name) === candidate.endpoint.id,
      })),
    };
  }

  /**
   * An origin told of itself with an answer: it counts like a report of all its endpoints, until the next one from here
   * or from the registry. What it left unsaid stays. Ignored within 250 ms of the last report, so that a busy origin
   * costs no more than a talkative registry.
   */
  refresh(server: ServerOrigin, { load, packetLoss }: OrcaReport): void {
    if (load === undefined && packetLoss === undefined) return;
    const now = this.#now();
    for (const id of this.#endpointsOf.get(server) ?? []) {
      const before = this.#reports.get(id);
      if (before === undefined || now - before.reportedAt < REFRESH_INTERVAL) continue;
      const { endpoint } = before;
      const told = { load: load ?? endpoint.load, packetLoss: packetLoss ?? endpoint.packetLoss };
      const candidate: Candidate = { ...before, endpoint: { ...endpoint, ...told }, reportedAt: now };
      this.#reports.set(id, candidate);
      this.#candidates.delete(endpoint.channel);
      this.#policy.onReport?.(candidate, this.#at(endpoint.channel));
    }
  }

  /** For metrics: the age of the reports in ms, and what the policy learned. */
  status(): { readonly reportAge: { readonly mean: number; readonly oldest: number }; readonly policy: PolicyStatus } {
    const context = this.#at('');
    let sum = 0;
    let oldest = 0;
    for (const { reportedAt } of this.#reports.values()) {
      sum += context.now - reportedAt;
      oldest = Math.max(oldest, context.now - reportedAt);
    }
    const mean = sum / Math.max(1, this.#reports.size);
    return { reportAge: { mean, oldest }, policy: this.#policy.status?.(context) ?? { gain: 0, busiest: [] } };
  }

  /** Servers that passive health keeps out now. */
  ejected(): number {
    const now = this.#now();
    return [...this.#endpointsOf.keys()].filter((server) => isEjected(this.#states.of(server), now)).length;
  }

  /** The channel's sticky picks stay on this endpoint, as long as they would if it had been picked here. */
  stick(endpoint: Endpoint): void {
    const candidate = this.#reports.get(endpoint.id);
    if (candidate !== undefined) this.#affinity.stick(endpoint.channel, candidate);
  }

  /** Picks by another policy from now on; it learns of every endpoint as if it had just reported. */
  usePolicy(policy: Policy): void {
    this.#policy = policy;
    for (const candidate of this.#reports.values()) policy.onReport?.(candidate, this.#at(candidate.endpoint.channel));
  }

  /** Picks of this balancer that are not done, by server, and a number that grows whenever they change. */
  inFlight(): { readonly changes: number; readonly counts: [ServerOrigin, number][] } {
    return { changes: this.#states.changes, counts: this.#states.inFlight() };
  }

  /** What the edge's other processes have in flight: policies see the sum. */
  setInFlightElsewhere(counts: ReadonlyMap<ServerOrigin, number>): void {
    this.#states.setInFlightElsewhere(counts);
  }

  /** Processes of this edge that pick each on its own, this one among them. */
  setWorkers(count: number): void {
    this.#context.workers = count;
  }

  /** What `addressAllowed` says has changed. */
  judgeAddresses(): void {
    for (const server of this.#endpointsOf.keys()) this.#judge(server);
  }

  close(): void {
    this.#unsubscribe();
  }

  #at(name: string): Context {
    this.#context.now = this.#now();
    this.#context.key = name;
    return this.#context;
  }

  #choose(name: ChannelName, eligible: readonly Candidate[], sticky: boolean): number {
    const kept = sticky ? this.#affinity.stay(name, eligible, this.#context) : -1;
    return kept >= 0 ? kept : this.#policy.pick(eligible, this.#context);
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

  #failed(server: ServerOrigin, cause: Failure, now: number): void {
    if (!this.#endpointsOf.has(server)) return;
    if (!this.#states.failed(server, now)) return;
    this.#observer.ejected(server, cause, this.#states.of(server).ejectedUntil - now);
  }

  #candidatesOf(name: ChannelName): readonly Candidate[] {
    const known = this.#candidates.get(name);
    if (known !== undefined) return known;
    const snapshot = this.#store.current;
    const channel = snapshot.channels.get(name);
    if (channel === undefined) throw new WeirError(snapshot.state === 'pending' ? 'not_ready' : 'unknown_channel');
    const candidates = channel.endpoints.flatMap((endpoint) => this.#reports.get(endpoint.id) ?? []);
    this.#candidates.set(name, candidates);
    return candidates;
  }

  /** Last resorts only where nothing else is left; the ejected only in a panic; the refused and the excluded never. */
  #eligible(
    all: readonly Candidate[],
    now: number,
    exclude: readonly ServerOrigin[] | undefined,
  ): readonly Candidate[] {
    let ejected = 0;
    let special = exclude !== undefined && exclude.length > 0;
    for (const { endpoint, state } of all) {
      if (isEjected(state, now)) ejected += 1;
      if (endpoint.lastResort === true || this.#refused.has(state.server)) special = true;
    }
    if (ejected === 0 && !special) return all;
    const panic = isPanic(ejected, all.length, this.#settings.outlier.panicThreshold);
    const possible = all.filter(
      ({ state }) =>
        (panic || !isEjected(state, now)) &&
        exclude?.includes(state.server) !== true &&
        !this.#refused.has(state.server),
    );
    const registered = possible.filter(({ endpoint }) => endpoint.lastResort !== true);
    return registered.length > 0 ? registered : possible;
  }

  #reason(candidate: Candidate, now: number): Ineligible {
    if (this.#refused.has(candidate.state.server)) return 'address_refused';
    return isEjected(candidate.state, now) ? 'ejected' : 'last_resort';
  }

  #changed(snapshot: Snapshot, change: Change): void {
    const now = this.#now();
    for (const endpoint of change.drop) {
      this.#candidates.delete(endpoint.channel);
      if (this.#reports.delete(endpoint.id)) this.#unlink(serverOf(endpoint.address), endpoint.id);
      if (!snapshot.channels.has(endpoint.channel)) this.#affinity.forget(endpoint.channel);
    }
    for (const endpoint of change.put) {
      this.#candidates.delete(endpoint.channel);
      this.#reported(endpoint, now);
    }
  }

  #reported(endpoint: Endpoint, now: number): void {
    const before = this.#reports.get(endpoint.id);
    const server = serverOf(endpoint.address);
    if (before === undefined || before.state.server !== server) {
      if (before !== undefined) this.#unlink(before.state.server, endpoint.id);
      this.#link(server, endpoint.id);
      this.#judge(server);
    }
    const fresh = before === undefined || before.endpoint.version !== endpoint.version;
    // A change of nothing but the registration leaves what the origin told since.
    const kept = before && !fresh ? { load: before.endpoint.load, packetLoss: before.endpoint.packetLoss } : undefined;
    const candidate: Candidate = {
      endpoint: kept ? { ...endpoint, ...kept } : endpoint,
      state: this.#states.of(server),
      reportedAt: fresh ? now : before.reportedAt,
      joinedAt: before?.joinedAt ?? now,
    };
    this.#reports.set(endpoint.id, candidate);
    if (fresh) this.#policy.onReport?.(candidate, this.#at(endpoint.channel));
  }

  #judge(server: ServerOrigin): void {
    if (this.#addressAllowed(server)) this.#refused.delete(server);
    else if (!this.#refused.has(server)) {
      this.#refused.add(server);
      this.#observer.refused(server);
    }
  }

  #link(server: ServerOrigin, id: EndpointId): void {
    const ids = this.#endpointsOf.get(server);
    if (ids === undefined) this.#endpointsOf.set(server, new Set([id]));
    else ids.add(id);
  }

  #unlink(server: ServerOrigin, id: EndpointId): void {
    const ids = this.#endpointsOf.get(server);
    ids?.delete(id);
    this.#policy.onDrop?.(id);
    if (ids === undefined || ids.size > 0) return;
    this.#endpointsOf.delete(server);
    this.#refused.delete(server);
    this.#states.forget(server);
    this.#policy.onLeave?.(server);
  }
}
