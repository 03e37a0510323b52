// The lowest score, literally, until our own traffic is shown to move the reports; then shares.
//
// Reports are seconds old, and every edge sees the same ones. Where our traffic is a small part of what they tell, the
// lowest score is the right pick: nothing that we do changes it. Where it is a large part, taking the lowest makes all edges
// pile on one server until its next report. So this policy asks first what part of the load is ours:
//
//   model.ts      how much of a load can be ours, and is taken to be
//   estimate.ts   by how much reports follow our shares: regression, with its uncertainty
//   verdict.ts    whether that is proof
//   decision.ts   shares from scores: the softer, the more of the load is ours
//
// and this file brings together what happens (`source.ts`, `server.ts`: what is known of each) and what is decided.
// Sources: J. D. C. Little 1961; K. J. Åström, R. M. Murray, Feedback Systems (integral action, clamped errors);
// smooth weighted round robin as in nginx; gRPC proposal A58 (weights from reports, expiry, slow start).

import type { EndpointId } from '../model.js';
import {
  belief,
  type Contender,
  learned,
  Shares,
  scoreOf,
  slowStart,
  softnessOf,
  sourceOf,
} from './adaptive/decision.js';
import { assumedPart, capacityAfter, decidersOf, ownLoad, pickKbps } from './adaptive/model.js';
import { ServerRecord } from './adaptive/server.js';
import { type Lesson, ReportSource } from './adaptive/source.js';
import { GainVerdict } from './adaptive/verdict.js';
import type { Candidate, Outcome, PickContext, Policy, PolicyStatus, Terms } from './policy.js';
import { assumedLoss, knownFraction, weightOf } from './score.js';
import { Turnover } from './turnover.js';

/** ms between reports, until seen; longer gaps than the latter say nothing of the usual one. */
const assumedSpacingMs = 5_000;
const maxSpacingMs = 120_000;
/** A lower mean load is taken as this: near zero, ratios of loads are noise. */
const minLoad = 0.1;
/** Owed picks at most, so that a server that comes back gets no burst. */
const maxCredit = 2;
const busiestShown = 10;
/** ms for which shares hold while nothing is told: what is in flight, lateness and slow starts change them by little. */
const sharesHoldMs = 20;

/**
 * The default policy. It keeps state: each balancer needs an instance of its own. Unknown loads and bitrates have
 * defaults; it never throws.
 */
export class Adaptive implements Policy {
  readonly #servers = new Map<string, ServerRecord>();
  readonly #contenders = new Map<EndpointId, Contender>();
  readonly #sets = new WeakMap<readonly Candidate[], readonly Contender[]>();
  readonly #verdict = new GainVerdict();
  readonly #turnover = new Turnover();
  readonly #shares = new Shares();
  /** Until when the shares hold for the set that was last picked from, as long as nothing is told. */
  #freshUntil = 0;
  /** Mbit/s of ours that load a server by 1, at least. */
  #capacityMbps = 1;
  /** Usual ms between reports of a source; 0 when unknown. */
  #spacingMs = 0;
  #typicalKbps = 0;
  #typicalFirstByteMs = 0;
  /** Part of what is in flight that new picks replace within a report interval. */
  #answer = 1;
  /** Part of the mean load that was ours at the last pick that began. */
  #lastPart = 0;
  /** What the verdict has, kept out of the pick. */
  #proven = 0;
  #suspicion = 1;
  /** The last pick, until its start: only a start that follows its pick settles credits. */
  #picked: Candidate | undefined;
  #pickedFrom: readonly Contender[] = [];
  readonly #model: typeof ownLoad;

  /** @param model what part of a load is taken to be ours */
  constructor(model = ownLoad) {
    this.#model = model;
  }

  pick(candidates: readonly Candidate[], context: PickContext): number {
    const contenders = this.#contendersOf(candidates, context);
    if (contenders !== this.#pickedFrom || context.now >= this.#freshUntil) {
      this.#distribute(this.#shares, contenders, context);
      this.#freshUntil = context.now + sharesHoldMs;
    }
    const chosen = this.#shares.choose(contenders, this.#typicalKbps, this.#answer);
    this.#picked = candidates[chosen];
    this.#pickedFrom = contenders;
    return chosen;
  }

  onReport(candidate: Candidate, context: PickContext): void {
    const { now, settings } = context;
    const { endpoint } = candidate;
    const contender = this.#contenderOf(candidate, context);
    const { server, own } = contender;
    contender.registered = weightOf(endpoint);
    const load = knownFraction(endpoint.load);
    const penalty = settings.lossWeight * (knownFraction(endpoint.packetLoss) ?? assumedLoss);
    this.#freshUntil = 0;
    if (load !== undefined) server.compare(own, load);
    server.reported(this.#typicalFirstByteMs);
    const { holdingMs } = this.#turnover;
    const ofServer = server.source.report(load, penalty, now, holdingMs);
    const ofEndpoint = own.report(load, penalty, now, holdingMs);
    const source = sourceOf(contender, true);
    const lesson = source === own ? ofEndpoint : ofServer;
    if (lesson !== undefined) this.#learn(source, server, load, lesson, context);
  }

  onStart(candidate: Candidate, context: PickContext): void {
    const { now } = context;
    const contender = this.#contenderOf(candidate, context);
    const { server, own } = contender;
    const kbps = pickKbps(candidate);
    this.#typicalKbps += (kbps - this.#typicalKbps) * (this.#typicalKbps === 0 ? 1 : 0.01);
    own.inFlightKbps += kbps;
    server.source.inFlightKbps += kbps;
    server.started(kbps, now);
    this.#turnover.start(kbps, now);
    this.#tune();
    if (this.#picked === candidate) this.#settle(contender, kbps, now);
    else for (const source of [own, server.source]) source.sent(1, kbps, now, this.#turnover.holdingMs);
    this.#picked = undefined;
  }

  onFirstByte(candidate: Candidate, elapsedMs: number, _context: PickContext): void {
    this.#typicalFirstByteMs += (elapsedMs - this.#typicalFirstByteMs) * (this.#typicalFirstByteMs === 0 ? 1 : 0.02);
    this.#servers.get(candidate.state.server)?.answered(elapsedMs, this.#typicalFirstByteMs);
  }

  onDone(candidate: Candidate, outcome: Outcome, _elapsed: number, context: PickContext): void {
    const kbps = pickKbps(candidate);
    this.#turnover.end(kbps, context.now);
    this.#tune();
    const own = this.#contenders.get(candidate.endpoint.id)?.own;
    if (own !== undefined) own.inFlightKbps = Math.max(0, own.inFlightKbps - kbps);
    const server = this.#servers.get(candidate.state.server);
    if (server === undefined) return;
    server.source.inFlightKbps = Math.max(0, server.source.inFlightKbps - kbps);
    if (server.ended(outcome, context.now, 2 * this.#interval())) this.#freshUntil = 0;
  }

  onDrop(endpoint: EndpointId): void {
    this.#contenders.delete(endpoint);
  }

  onLeave(server: string): void {
    this.#servers.delete(server);
  }

  terms(candidate: Candidate, context: PickContext, among: readonly Candidate[] = [candidate]): Terms {
    const contenders = this.#contendersOf(among, context);
    const told = new Shares();
    this.#distribute(told, contenders, context);
    const contender = this.#contenderOf(candidate, context);
    const source = sourceOf(contender, told.known);
    const { gain, error } = this.#verdict.estimate;
    return {
      score: scoreOf(source, contender.server),
      share: told.shares[among.indexOf(candidate)] ?? 0,
      load: source.load,
      packetLoss: knownFraction(candidate.endpoint.packetLoss),
      lossPenalty: source.penalty,
      slowPenalty: contender.server.slowPenalty,
      weight: contender.registered * source.weight,
      belief: belief(source, context.now),
      slowStart: slowStart(source, context.now),
      blockedSeconds: Math.max(0, contender.server.blockedUntil - context.now) / 1000,
      credit: source.credit,
      inFlightKbps: source.inFlightKbps,
      meanScore: told.meanScore(contenders.length),
      softness: told.softness,
      gain: told.part,
      estimatedGain: gain,
      gainError: error,
      proven: this.#proven,
      suspicion: this.#suspicion,
      deciders: decidersOf(context),
      leastCapacityKbps: 1000 * this.#capacityMbps,
      oneLoad: contender.server.agrees ? 1 : 0,
      holdingSeconds: this.#turnover.holdingMs / 1000,
      reportIntervalSeconds: this.#interval() / 1000,
    };
  }

  status({ now }: PickContext): PolicyStatus {
    const recent = [...this.#servers.values()].map((server) => server.recent(now)).sort((a, b) => b - a);
    const total = recent.reduce((sum, kbps) => sum + kbps, 0);
    return {
      gain: this.#lastPart,
      busiest: total > 0 ? recent.slice(0, busiestShown).map((kbps) => kbps / total) : [],
    };
  }

  /** Fills the shares of a set. Allocates only when a set is larger than any before. */
  #distribute(shares: Shares, contenders: readonly Contender[], context: PickContext): void {
    const { now, settings } = context;
    const count = contenders.length;
    let load = 0;
    let told = 0;
    let inFlight = 0;
    let traffic = 0;
    let known = false;
    for (const contender of contenders) if (contender.own.load !== undefined) known = true;
    for (const contender of contenders) {
      const source = sourceOf(contender, known);
      inFlight += source.inFlightKbps;
      traffic += source.trafficMbps;
      if (source.load === undefined || contender.server.blockedUntil > now) continue;
      load += source.load;
      told += 1;
    }
    const mean = Math.max(minLoad, told > 0 ? load / told : 0);
    // What is in flight just now, but no more than usual: one request is not a traffic. Or what shares keep in flight.
    const carriedMbps = Math.max(Math.min(inFlight, this.#turnover.averageKbps) / 1000, traffic) / Math.max(1, count);
    const own = this.#model(mean, carriedMbps, decidersOf(context), this.#capacityMbps, this.#proven, this.#suspicion);
    shares.reserve(count);
    shares.part = own / mean;
    shares.known = known;
    shares.softness = softnessOf(own, this.#answer, settings.tieBand, count);
    shares.fill(contenders, now);
  }

  #settle(chosen: Contender, kbps: number, now: number): void {
    const { holdingMs } = this.#turnover;
    const contenders = this.#pickedFrom;
    const { shares, known } = this.#shares;
    const meanScore = this.#shares.meanScore(contenders.length);
    const cost = kbps / this.#typicalKbps;
    let meanWeight = 0;
    for (const contender of contenders) meanWeight += sourceOf(contender, known).weight / contenders.length;
    for (let i = 0; i < contenders.length; i += 1) {
      const contender = contenders[i];
      if (contender === undefined) continue;
      const share = shares[i] ?? 0;
      const source = sourceOf(contender, known);
      source.credit = Math.min(maxCredit, source.credit + share * cost);
      contender.own.stood(share, kbps, meanScore, meanWeight, now, holdingMs);
      contender.server.source.stood(share, kbps, meanScore, meanWeight, now, holdingMs);
    }
    sourceOf(chosen, known).credit -= cost;
    this.#lastPart = this.#shares.part;
  }

  #learn(source: ReportSource, server: ServerRecord, load: number | undefined, lesson: Lesson, context: PickContext) {
    const { elapsedMs, changes, beside, steady } = lesson;
    const gap = Math.min(elapsedMs, maxSpacingMs);
    this.#spacingMs += (gap - this.#spacingMs) * (this.#spacingMs === 0 ? 1 : 0.05);
    if (changes !== undefined) {
      const part = assumedPart(Math.max(minLoad, load ?? 0), source.trafficMbps, decidersOf(context));
      this.#verdict.observe(changes.byMean, changes.byEnd, part);
      this.#proven = this.#verdict.proven;
      this.#suspicion = this.#verdict.suspicion;
    }
    if (load !== undefined && steady) this.#capacityMbps = capacityAfter(this.#capacityMbps, source.trafficMbps, load);
    this.#tune();
    if (beside === undefined || source.load === undefined) return;
    const above = scoreOf(source, server) - beside.score;
    const pace =
      (1 - Math.exp(-elapsedMs / (this.#interval() / 4 + this.#turnover.holdingMs))) * slowStart(source, context.now);
    source.weight = learned(source.weight, above, beside.weight, this.#shares.softness, pace, this.#lastPart);
  }

  /** Keeps out of the pick what only observers change. */
  #tune(): void {
    const { holdingMs } = this.#turnover;
    this.#answer = holdingMs > 0 ? 1 - Math.exp(-this.#interval() / holdingMs) : 1;
  }

  #interval(): number {
    return this.#spacingMs > 0 ? this.#spacingMs : assumedSpacingMs;
  }

  #contendersOf(candidates: readonly Candidate[], context: PickContext): readonly Contender[] {
    let contenders = this.#sets.get(candidates);
    if (contenders === undefined) {
      contenders = candidates.map((candidate) => this.#contenderOf(candidate, context));
      this.#sets.set(candidates, contenders);
    }
    return contenders;
  }

  #contenderOf({ endpoint, state, joinedAt }: Candidate, { random }: PickContext): Contender {
    const known = this.#contenders.get(endpoint.id);
    const at = this.#servers.get(state.server);
    if (known !== undefined && known.server === at) return known;
    // A random phase, so that edges which start together do not walk in step.
    const server = at ?? new ServerRecord(new ReportSource(joinedAt, random() - 0.5));
    const contender = { server, own: new ReportSource(joinedAt, server.source.credit), registered: weightOf(endpoint) };
    this.#servers.set(state.server, server);
    this.#contenders.set(endpoint.id, contender);
    return contender;
  }
}
