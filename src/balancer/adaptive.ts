// Shares that learn, for reports that are seconds old and that every edge sees alike.
//
// Taking the lowest score makes all edges pile on one endpoint until its next report. So a report does not say where to
// go, but how to shift shares: a server below the mean score of those it stands beside gets more, one above it less, in
// proportion. How strongly follows from what a shift does to the next reports:
//   - holding time D (Little's law). Of what is in flight, exp(−T/D) is still there after a report interval T: long
//     streams answer slowly and allow a firm hand, short requests answer at once and need a gentle one.
//   - gain: by what part of the load the reports followed our shares, learned by regression. Doubt counts as gain.
//   - until our shares have moved, what we carry ourselves, times the number of edges and of workers in each, over an
//     assumed capacity. An edge with little traffic thus starts literally: all to the lowest score.
// The shift is softness-limited (`simplex.ts`); what lasts of it is learned into a weight for each server (integral action:
// the weight becomes its relative capacity), and that remains when reports are late. Picks realise the shares with low
// variance: smooth weighted round robin, corrected by what is in flight.
//
// State is kept by server, while candidates differ by channel. Weights are ratios, so any set of servers normalises them
// by itself; each server is compared with the mean of those it stood beside, so channels that share no server cannot
// push each other's weights.
//
// Sources: J. D. C. Little 1961; K. J. Åström, R. M. Murray, Feedback Systems (integral action, clamped errors);
// smooth weighted round robin as in nginx; gRPC proposal A58 (weights from reports, expiry, slow start).

import { Gain } from './gain.js';
import type { Candidate, Outcome, PickContext, Policy, PolicyStatus, Terms } from './policy.js';
import { ASSUMED_LOSS, knownFraction } from './score.js';
import { type Lesson, ServerShare } from './server-share.js';
import { project } from './simplex.js';
import { Turnover } from './turnover.js';

/** Share of an error that one report may correct. Above 0.35 long report intervals begin to swing. */
const CAUTION = 0.3;
/** kbit/s that a server is assumed to carry at load 1, until the gain is learned. */
const ASSUMED_CAPACITY = 200_000;
/** kbit/s of a stream that reports none. */
const ASSUMED_BITRATE = 2_000;
/** ms between reports, until seen. */
const ASSUMED_SPACING = 5_000;
/** A lower mean load is taken as this: near zero, ratios of loads are noise. */
const LEAST_LOAD = 0.1;
/** Scores further above the mean than this count as this: an overload must not upset what was learned. */
const MAX_ERROR = 0.5;
/**
 * How far a report takes the weights of a set back to a mean of 1: enough against drift over days, too little to
 * hold back a server whose neighbours are stronger than the average.
 */
const REVERSION = 0.05;
const MIN_WEIGHT = 0.02;
const MAX_WEIGHT = 30;
/** ms until a new server gets its full share. */
const SLOW_START = 30_000;
const LEAST_RAMP = 0.02;
/** Owed picks at most, so that a server that comes back gets no burst. */
const MAX_CREDIT = 2;
/** Picks that one stream more or less in flight than its share weighs; long streams are left to the reports. */
const IN_FLIGHT_PULL = 2;
const LEAST_SOFTNESS = 1e-4;
/** Report intervals in which a late report loses most of its belief. */
const LATE = 2;
const BUSIEST = 10;

export class Adaptive implements Policy {
  readonly #servers = new Map<string, ServerShare>();
  readonly #sets = new WeakMap<readonly Candidate[], readonly ServerShare[]>();
  readonly #gain = new Gain();
  readonly #turnover = new Turnover();
  /** Usual ms between reports of a server; 0 when unknown. */
  #spacing = 0;
  #typicalKbps = 0;
  #typicalFirstByte = 0;
  /** Of what is in flight the part that is still there after a report interval. */
  #persistence = 0;
  /** The learned gain, at most what can answer within an interval. */
  #boundedGain = 0;

  // The last distribution, in arrays that are used again for every pick.
  #weights = new Float64Array(16);
  /** In units of the softness. */
  #scores = new Float64Array(16);
  #shares = new Float64Array(16);
  #softness = LEAST_SOFTNESS;
  /** The last pick, until its start or an explanation: only a start that follows its pick settles credits. */
  #picked: Candidate | undefined;
  #pickedFrom: readonly ServerShare[] = [];

  pick(candidates: readonly Candidate[], context: PickContext): number {
    const servers = this.#serversOf(candidates, context);
    this.#distribute(servers, context);
    let inFlight = 0;
    for (const server of servers) inFlight += server.inFlight;
    const pull = this.#typicalKbps > 0 ? (IN_FLIGHT_PULL * (1 - this.#persistence)) / this.#typicalKbps : 0;
    let chosen = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < servers.length; i += 1) {
      const server = servers[i];
      const share = this.#shares[i] ?? 0;
      if (server === undefined || share < 1e-6) continue;
      const owed = server.credit + share + pull * (share * inFlight - server.inFlight);
      if (owed <= most) continue;
      most = owed;
      chosen = i;
    }
    this.#picked = candidates[chosen];
    this.#pickedFrom = servers;
    return chosen;
  }

  onReport(candidate: Candidate, context: PickContext): void {
    const { endpoint } = candidate;
    const server = this.#serverOf(candidate, context);
    const loss = knownFraction(endpoint.packetLoss) ?? ASSUMED_LOSS;
    const lesson = server.report(knownFraction(endpoint.load), context.settings.lossWeight * loss, context.now);
    server.forgive(this.#typicalFirstByte);
    if (lesson === undefined) return;
    const gap = Math.min(lesson.elapsed, 120_000);
    this.#spacing += (gap - this.#spacing) * (this.#spacing === 0 ? 1 : 0.05);
    if (lesson.change !== undefined) this.#gain.observe(lesson.change.predicted, lesson.change.observed);
    this.#tune();
    this.#learn(server, lesson, context.now);
  }

  onStart(candidate: Candidate, context: PickContext): void {
    const server = this.#serverOf(candidate, context);
    const kbps = cost(candidate);
    this.#typicalKbps += (kbps - this.#typicalKbps) * (this.#typicalKbps === 0 ? 1 : 0.01);
    server.inFlight += kbps;
    server.started(kbps, context.now);
    this.#turnover.start(kbps, context.now);
    this.#tune();
    if (this.#picked === candidate) this.#settle(server, kbps / this.#typicalKbps);
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
    const server = this.#servers.get(candidate.state.server);
    if (server === undefined) return;
    server.inFlight = Math.max(0, server.inFlight - kbps);
    server.ended(outcome, context.now, 2 * this.#interval());
  }

  onLeave(server: string): void {
    this.#servers.delete(server);
  }

  terms(candidate: Candidate, context: PickContext, among: readonly Candidate[] = [candidate]): Terms {
    const servers = this.#serversOf(among, context);
    this.#distribute(servers, context);
    this.#picked = undefined;
    const server = this.#serverOf(candidate, context);
    const share = this.#shares[among.indexOf(candidate)] ?? 0;
    return {
      score: server.score,
      share: among.includes(candidate) ? share : 0,
      load: server.load,
      packetLoss: knownFraction(candidate.endpoint.packetLoss),
      lossPenalty: server.penalty,
      slowPenalty: server.slowPenalty,
      weight: server.weight,
      belief: belief(server, context.now),
      slowStart: slowStart(server, context.now),
      blockedSeconds: Math.max(0, server.blockedUntil - context.now) / 1000,
      credit: server.credit,
      inFlightKbps: server.inFlight,
      meanScore: this.#meanScore(servers.length),
      softness: this.#softness,
      gain: this.#boundedGain,
      holdingSeconds: this.#turnover.holding / 1000,
      reportIntervalSeconds: this.#interval() / 1000,
    };
  }

  status({ now }: PickContext): PolicyStatus {
    const recent = [...this.#servers.values()].map((server) => server.recent(now)).sort((a, b) => b - a);
    const total = recent.reduce((sum, kbps) => sum + kbps, 0);
    return {
      gain: this.#boundedGain,
      busiest: total > 0 ? recent.slice(0, BUSIEST).map((kbps) => kbps / total) : [],
    };
  }

  /**
   * Fills the shares of a set of servers and what they are made of. Allocates only when a set is larger than any before;
   * what is written out here would, as a function, box a number for each server, and so would a number as an argument.
   */
  #distribute(servers: readonly ServerShare[], context: PickContext): void {
    const count = servers.length;
    this.#reserve(count);
    const known = this.#measure(servers, context);
    const { now } = context;
    const softness = this.#softness;
    const weights = this.#weights;
    const scores = this.#scores;
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const server = servers[i];
      if (server === undefined) continue;
      const out = server.blockedUntil > now || (known && server.load === undefined);
      const ramp = Math.min(1, Math.max(LEAST_RAMP, (now - server.joinedAt) / SLOW_START));
      const weight = out ? 0 : server.weight * ramp;
      weights[i] = weight;
      sum += weight;
    }
    let mean = 0;
    for (let i = 0; i < count; i += 1) {
      const server = servers[i];
      if (server === undefined) continue;
      // All failed: nobody is left out.
      const weight = sum > 0 ? (weights[i] ?? 0) / sum : 1 / count;
      weights[i] = weight;
      mean += weight * server.score;
    }
    for (let i = 0; i < count; i += 1) {
      const server = servers[i];
      if (server === undefined) continue;
      const error = Math.min(MAX_ERROR, server.score - mean);
      const late = now - server.lateAt;
      const believed = late > 0 ? Math.exp(-late / server.spacing / LATE) * error : error;
      scores[i] = (mean + believed) / softness;
    }
    project(weights, scores, count, this.#shares);
  }

  /**
   * Sets the softness for a set of servers: by how much a score falls when the share of its server is taken away, over the
   * caution. Returns whether the load of any is known.
   */
  #measure(servers: readonly ServerShare[], { now, workers, settings: { edges } }: PickContext): boolean {
    let load = 0;
    let known = 0;
    let inFlight = 0;
    for (const server of servers) {
      inFlight += server.inFlight;
      if (server.load === undefined || server.blockedUntil > now) continue;
      load += server.load;
      known += 1;
    }
    // Who shifts at the same time as we do, by the same reports. A worker is an edge of its own here: it picks for its
    // part of the channels, and `inFlight` are its own picks alone, about the workers' part of what the edge carries. (What
    // the other workers have in flight is counted in `ServerState.inFlight`, which is not read here.)
    const deciders = edges * workers;
    // A lone one knows its own picks and need not guess at others'.
    const alike = deciders > 1 ? deciders : CAUTION;
    const ownLoad = (alike * inFlight) / Math.max(1, servers.length) / ASSUMED_CAPACITY;
    const answer = 1 - this.#persistence;
    const mean = Math.max(LEAST_LOAD, known > 0 ? load / known : 0);
    const moved = Math.max(this.#boundedGain * mean, answer * Math.min(ownLoad, mean));
    this.#softness = Math.max(LEAST_SOFTNESS, moved / CAUTION);
    return known > 0;
  }

  #settle(chosen: ServerShare, cost: number): void {
    const servers = this.#pickedFrom;
    const meanScore = this.#meanScore(servers.length);
    let meanWeight = 0;
    for (const server of servers) meanWeight += server.weight / servers.length;
    for (let i = 0; i < servers.length; i += 1) {
      const server = servers[i];
      if (server === undefined) continue;
      const share = this.#shares[i] ?? 0;
      server.credit = Math.min(MAX_CREDIT, server.credit + share * cost);
      server.stood(share, servers.length, meanScore, meanWeight);
    }
    chosen.credit -= cost;
  }

  /** Of the last distribution, by share. */
  #meanScore(count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i += 1) sum += (this.#shares[i] ?? 0) * (this.#scores[i] ?? 0);
    return sum * this.#softness;
  }

  /** Moves the weight a step towards the share that its score asks for, and the mean of all weights back towards 1. */
  #learn(server: ServerShare, lesson: Lesson, now: number): void {
    if (server.load === undefined) return;
    const error = Math.min(MAX_ERROR, Math.max(-MAX_ERROR, lesson.score - server.score));
    const tilt = Math.min(3, Math.max(0, 1 + error / this.#softness));
    const pace = 1 - Math.exp(-lesson.elapsed / (this.#interval() / 4 + this.#turnover.holding));
    const step = 1 + pace * (tilt - 1) * slowStart(server, now);
    server.weight = Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, (server.weight * step) / lesson.weight ** REVERSION));
  }

  /** Keeps out of the pick what only observers change. */
  #tune(): void {
    const { holding } = this.#turnover;
    this.#persistence = holding > 0 ? Math.exp(-this.#interval() / holding) : 0;
    this.#boundedGain = Math.min(1 - this.#persistence, this.#gain.upper);
  }

  #interval(): number {
    return this.#spacing > 0 ? this.#spacing : ASSUMED_SPACING;
  }

  #serversOf(candidates: readonly Candidate[], context: PickContext): readonly ServerShare[] {
    let servers = this.#sets.get(candidates);
    if (servers === undefined) {
      servers = candidates.map((candidate) => this.#serverOf(candidate, context));
      this.#sets.set(candidates, servers);
    }
    return servers;
  }

  #serverOf({ state, joinedAt }: Candidate, { random }: PickContext): ServerShare {
    let server = this.#servers.get(state.server);
    if (server === undefined) {
      // A random phase, so that edges which start together do not walk in step.
      server = new ServerShare(joinedAt, random() - 0.5);
      this.#servers.set(state.server, server);
    }
    return server;
  }

  #reserve(count: number): void {
    if (count <= this.#shares.length) return;
    const size = 2 * count;
    this.#weights = new Float64Array(size);
    this.#scores = new Float64Array(size);
    this.#shares = new Float64Array(size);
  }
}

/** kbit/s that a pick of this endpoint carries. */
function cost({ endpoint: { bitrate } }: Candidate): number {
  return typeof bitrate === 'number' && bitrate > 0 && bitrate < 1e9 ? bitrate : ASSUMED_BITRATE;
}

/** 1 for a report in time, towards 0 for a late one. */
function belief(server: ServerShare, now: number): number {
  return now <= server.lateAt ? 1 : Math.exp((server.lateAt - now) / server.spacing / LATE);
}

function slowStart(server: ServerShare, now: number): number {
  return Math.min(1, Math.max(LEAST_RAMP, (now - server.joinedAt) / SLOW_START));
}
