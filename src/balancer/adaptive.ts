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
//
// Sources: J. D. C. Little 1961; K. J. Åström, R. M. Murray, Feedback Systems (integral action, clamped errors);
// smooth weighted round robin as in nginx; gRPC proposal A58 (weights from reports, expiry, slow start).

import type { EndpointId } from '../model.js';
import { belief, learned, type Place, Shares, scoreOf, slowStart, softnessOf, sourceOf } from './adaptive/decision.js';
import { leastCapacity, ownLoad } from './adaptive/model.js';
import { Server } from './adaptive/server.js';
import { type Lesson, Source } from './adaptive/source.js';
import { Verdict } from './adaptive/verdict.js';
import type { Candidate, Outcome, PickContext, Policy, PolicyStatus, Terms } from './policy.js';
import { assumedLoss, knownFraction } from './score.js';
import { Turnover } from './turnover.js';

/** kbit/s of a stream that reports none. */
const assumedBitrate = 2_000;
/** ms between reports, until seen; longer gaps than the latter say nothing of the usual one. */
const assumedSpacing = 5_000;
const longestSpacing = 120_000;
/** A lower mean load is taken as this: near zero, ratios of loads are noise. */
const leastLoad = 0.1;
/** Owed picks at most, so that a server that comes back gets no burst. */
const maxCredit = 2;
const busiestShown = 10;
/** ms for which shares hold while nothing is told: what is in flight, lateness and slow starts change them by little. */
const fresh = 20;

export class Adaptive implements Policy {
  readonly #servers = new Map<string, Server>();
  readonly #places = new Map<EndpointId, Place>();
  readonly #sets = new WeakMap<readonly Candidate[], readonly Place[]>();
  readonly #verdict = new Verdict();
  readonly #turnover = new Turnover();
  readonly #shares = new Shares();
  /** Until when the shares hold for the set that was last picked from, as long as nothing is told. */
  #freshUntil = 0;
  /** Mbit/s of ours that load a server by 1, at least. */
  #capacity = 1;
  /** Usual ms between reports of a source; 0 when unknown. */
  #spacing = 0;
  #typicalKbps = 0;
  #typicalFirstByte = 0;
  /** Part of what is in flight that new picks replace within a report interval. */
  #answer = 1;
  /** Part of the mean load that was ours at the last pick that began. */
  #lastPart = 0;
  /** What the verdict has, kept out of the pick. */
  #proven = 0;
  #suspicion = 1;
  /** The last pick, until its start: only a start that follows its pick settles credits. */
  #picked: Candidate | undefined;
  #pickedFrom: readonly Place[] = [];
  readonly #model: typeof ownLoad;

  /** @param model what part of a load is taken to be ours */
  constructor(model = ownLoad) {
    this.#model = model;
  }

  pick(candidates: readonly Candidate[], context: PickContext): number {
    const places = this.#placesOf(candidates, context);
    if (places !== this.#pickedFrom || context.now >= this.#freshUntil) {
      this.#distribute(this.#shares, places, context);
      this.#freshUntil = context.now + fresh;
    }
    const chosen = this.#shares.choose(places, this.#typicalKbps, this.#answer);
    this.#picked = candidates[chosen];
    this.#pickedFrom = places;
    return chosen;
  }

  onReport(candidate: Candidate, context: PickContext): void {
    const { now, settings } = context;
    const { endpoint } = candidate;
    const place = this.#placeOf(candidate, context);
    const { server, own } = place;
    const load = knownFraction(endpoint.load);
    const penalty = settings.lossWeight * (knownFraction(endpoint.packetLoss) ?? assumedLoss);
    this.#freshUntil = 0;
    if (load !== undefined) server.compare(own, load);
    server.reported(this.#typicalFirstByte);
    const { holding } = this.#turnover;
    const ofServer = server.source.report(load, penalty, now, holding);
    const ofEndpoint = own.report(load, penalty, now, holding);
    const source = sourceOf(place, true);
    const lesson = source === own ? ofEndpoint : ofServer;
    if (lesson !== undefined) this.#learn(source, server, load, lesson, now);
  }

  onStart(candidate: Candidate, context: PickContext): void {
    const { now } = context;
    const place = this.#placeOf(candidate, context);
    const { server, own } = place;
    const kbps = cost(candidate);
    this.#typicalKbps += (kbps - this.#typicalKbps) * (this.#typicalKbps === 0 ? 1 : 0.01);
    own.inFlight += kbps;
    server.source.inFlight += kbps;
    server.started(kbps, now);
    this.#turnover.start(kbps, now);
    this.#tune();
    if (this.#picked === candidate) this.#settle(place, kbps, now);
    else for (const source of [own, server.source]) source.sent(1, kbps, now, this.#turnover.holding);
    this.#picked = undefined;
  }

  onFirstByte(candidate: Candidate, elapsed: number, _context: PickContext): void {
    this.#typicalFirstByte += (elapsed - this.#typicalFirstByte) * (this.#typicalFirstByte === 0 ? 1 : 0.02);
    this.#servers.get(candidate.state.server)?.answered(elapsed, this.#typicalFirstByte);
  }

  onDone(candidate: Candidate, outcome: Outcome, _elapsed: number, context: PickContext): void {
    const kbps = cost(candidate);
    this.#turnover.end(kbps, context.now);
    this.#tune();
    const own = this.#places.get(candidate.endpoint.id)?.own;
    if (own !== undefined) own.inFlight = Math.max(0, own.inFlight - kbps);
    const server = this.#servers.get(candidate.state.server);
    if (server === undefined) return;
    server.source.inFlight = Math.max(0, server.source.inFlight - kbps);
    if (server.ended(outcome, context.now, 2 * this.#interval())) this.#freshUntil = 0;
  }

  onDrop(endpoint: EndpointId): void {
    this.#places.delete(endpoint);
  }

  onLeave(server: string): void {
    const left = this.#servers.get(server);
    this.#servers.delete(server);
    for (const [id, place] of this.#places) if (place.server === left) this.#places.delete(id);
  }

  terms(candidate: Candidate, context: PickContext, among: readonly Candidate[] = [candidate]): Terms {
    const places = this.#placesOf(among, context);
    const told = new Shares();
    this.#distribute(told, places, context);
    const place = this.#placeOf(candidate, context);
    const source = sourceOf(place, told.known);
    const { gain, error } = this.#verdict.estimate;
    return {
      score: scoreOf(source, place.server),
      share: told.shares[among.indexOf(candidate)] ?? 0,
      load: source.load,
      packetLoss: knownFraction(candidate.endpoint.packetLoss),
      lossPenalty: source.penalty,
      slowPenalty: place.server.slowPenalty,
      weight: source.weight,
      belief: belief(source, context.now),
      slowStart: slowStart(source, context.now),
      blockedSeconds: Math.max(0, place.server.blockedUntil - context.now) / 1000,
      credit: source.credit,
      inFlightKbps: source.inFlight,
      meanScore: told.meanScore(places.length),
      softness: told.softness,
      gain: told.part,
      estimatedGain: gain,
      gainError: error,
      proven: this.#proven,
      suspicion: this.#suspicion,
      deciders: context.settings.edges * context.workers,
      leastCapacityKbps: 1000 * this.#capacity,
      oneLoad: place.server.agrees ? 1 : 0,
      holdingSeconds: this.#turnover.holding / 1000,
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
  #distribute(shares: Shares, places: readonly Place[], context: PickContext): void {
    const { now, workers, settings } = context;
    const count = places.length;
    let load = 0;
    let told = 0;
    let inFlight = 0;
    let traffic = 0;
    let known = false;
    for (const place of places) if (place.own.load !== undefined) known = true;
    for (const place of places) {
      const source = sourceOf(place, known);
      inFlight += source.inFlight;
      traffic += source.traffic;
      if (source.load === undefined || place.server.blockedUntil > now) continue;
      load += source.load;
      told += 1;
    }
    const mean = Math.max(leastLoad, told > 0 ? load / told : 0);
    // A worker picks on its own for a part of the channels: it is an edge of its own here.
    const deciders = settings.edges * workers;
    // What is in flight just now, but no more than usual: one request is not a traffic. Or what shares keep in flight.
    const carried = Math.max(Math.min(inFlight, this.#turnover.average) / 1000, traffic) / Math.max(1, count);
    const own = this.#model(mean, carried, deciders, this.#capacity, this.#proven, this.#suspicion);
    shares.reserve(count);
    shares.part = own / mean;
    shares.known = known;
    shares.softness = softnessOf(own, this.#answer, settings.tieBand, count);
    shares.fill(places, now);
  }

  #settle(chosen: Place, kbps: number, now: number): void {
    const { holding } = this.#turnover;
    const places = this.#pickedFrom;
    const { shares, known } = this.#shares;
    const meanScore = this.#shares.meanScore(places.length);
    const cost = kbps / this.#typicalKbps;
    let meanWeight = 0;
    for (const place of places) meanWeight += sourceOf(place, known).weight / places.length;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i];
      if (place === undefined) continue;
      const share = shares[i] ?? 0;
      const source = sourceOf(place, known);
      source.credit = Math.min(maxCredit, source.credit + share * cost);
      place.own.stood(share, kbps, meanScore, meanWeight, now, holding);
      place.server.source.stood(share, kbps, meanScore, meanWeight, now, holding);
    }
    sourceOf(chosen, known).credit -= cost;
    this.#lastPart = this.#shares.part;
  }

  #learn(source: Source, server: Server, load: number | undefined, lesson: Lesson, now: number): void {
    const { elapsed, changes, beside, steady } = lesson;
    const gap = Math.min(elapsed, longestSpacing);
    this.#spacing += (gap - this.#spacing) * (this.#spacing === 0 ? 1 : 0.05);
    if (changes !== undefined) {
      this.#verdict.observe(changes.byMean, changes.byEnd);
      this.#proven = this.#verdict.proven;
      this.#suspicion = this.#verdict.suspicion;
    }
    if (load !== undefined && steady) this.#capacity = leastCapacity(this.#capacity, source.traffic, load);
    this.#tune();
    if (beside === undefined || source.load === undefined) return;
    const above = scoreOf(source, server) - beside.score;
    const pace = (1 - Math.exp(-elapsed / (this.#interval() / 4 + this.#turnover.holding))) * slowStart(source, now);
    source.weight = learned(source.weight, above, beside.weight, this.#shares.softness, pace, this.#lastPart);
  }

  /** Keeps out of the pick what only observers change. */
  #tune(): void {
    const { holding } = this.#turnover;
    this.#answer = holding > 0 ? 1 - Math.exp(-this.#interval() / holding) : 1;
  }

  #interval(): number {
    return this.#spacing > 0 ? this.#spacing : assumedSpacing;
  }

  #placesOf(candidates: readonly Candidate[], context: PickContext): readonly Place[] {
    let places = this.#sets.get(candidates);
    if (places === undefined) {
      places = candidates.map((candidate) => this.#placeOf(candidate, context));
      this.#sets.set(candidates, places);
    }
    return places;
  }

  #placeOf({ endpoint: { id }, state, joinedAt }: Candidate, { random }: PickContext): Place {
    const known = this.#places.get(id);
    const at = this.#servers.get(state.server);
    if (known !== undefined && known.server === at) return known;
    // A random phase, so that edges which start together do not walk in step.
    const server = at ?? new Server(new Source(joinedAt, random() - 0.5));
    const place = { server, own: new Source(joinedAt, server.source.credit) };
    this.#servers.set(state.server, server);
    this.#places.set(id, place);
    return place;
  }
}

/** kbit/s that a pick of this endpoint carries. */
function cost({ endpoint: { bitrate } }: Candidate): number {
  return typeof bitrate === 'number' && bitrate > 0 && bitrate < 1e9 ? bitrate : assumedBitrate;
}
