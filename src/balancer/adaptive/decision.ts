// The decision: shares from scores, and a pick from shares.
//
// If a server at its share m of our traffic carries a load `own` of ours, then a share p there makes its load
//
//     load + own × (p − m) / m
//
// All loads of a set become equal at p = m × (1 + (mean − load) / own): the shares that would level the loads at once. Others
// do the same at the same time, and reports are late. So only a part of the way is gone, the caution, which is the same as to take `own`
// for larger: p = m × (1 + (mean − load) / softness), softness = own / caution. Shares below zero are none: `project`
// takes them out and keeps the sum. Where own is nothing so is the softness, and all goes to the lowest score.
//
// m is the weight of a server: what lasts of such shifts is learned into it (`learned`), so that it becomes its relative
// capacity and remains when reports are late.

import { project } from '../simplex.js';
import type { Server } from './server.js';
import type { Source } from './source.js';

/** Part of the way to level loads that one report may go. Above 0.35 long report intervals begin to swing. */
export const caution = 0.3;
/** Scores further above the mean than this count as this: an overload must not upset what was learned. */
const maxError = 0.5;
/** Times its spacing in which a late report loses most of its belief. */
const lateFactor = 2;
/** ms until a new server gets its full share, and what it gets at first. */
const slowStartTime = 30_000;
const leastRamp = 0.02;
/** A smaller share gets no pick. */
const noShare = 1e-6;
/** Picks that one stream more or less in flight than its share weighs; long streams are left to the reports. */
const inFlightPull = 2;
/** How far a report takes the weights of a set back to a mean of 1: enough against drift over days. */
const reversion = 0.05;
/** How far it takes a weight back to 1 where no load is ours, so that the weight explains nothing. */
const forgetting = 0.2;
/** Part of the load from which on weights are learned in full, and none is forgotten. */
const enough = 0.3;
const minWeight = 0.02;
const maxWeight = 30;

/** One candidate: its server, and where its load comes from. */
export interface Place {
  readonly server: Server;
  /** Reports of the endpoint itself. */
  readonly own: Source;
}

/** The source whose load counts for a place: the server's where its endpoints tell one load. */
export function sourceOf({ server, own }: Place, known: boolean): Source {
  // Where no candidate tells a load, what their servers tell for other channels is better than nothing.
  const shared = known ? own.load !== undefined && server.agrees : server.source.load !== undefined;
  return shared ? server.source : own;
}

/** Lower is better; an unknown load counts as none, since it is compared with its like only. */
export function scoreOf(source: Source, server: Server): number {
  return (source.load ?? 0) + source.penalty + server.slowPenalty;
}

/**
 * By what scores have to differ for a server to lose its share, in parts: see above.
 * With nothing of ours among `count` servers, scores within the tie band share and no others.
 * @param answer part of what we have in flight that new picks replace until the next report
 */
export function softnessOf(ownLoad: number, answer: number, tieBand: number, count: number): number {
  return Math.max(Math.max(1e-4, tieBand) / Math.max(1, count), (answer * ownLoad) / caution);
}

/** Arrays that are used again for every pick. */
export class Shares {
  weights = new Float64Array(16);
  /** In units of the softness. */
  scores = new Float64Array(16);
  shares = new Float64Array(16);
  softness = 0.01;
  /** Part of the mean load that is taken to be ours. */
  part = 0;
  /** Whether any candidate told a load. */
  known = false;

  reserve(count: number): void {
    if (count <= this.shares.length) return;
    this.weights = new Float64Array(2 * count);
    this.scores = new Float64Array(2 * count);
    this.shares = new Float64Array(2 * count);
  }

  /** Mean score of the set, by share. */
  meanScore(count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i += 1) sum += (this.shares[i] ?? 0) * (this.scores[i] ?? 0);
    return sum * this.softness;
  }

  /** Fills the shares. Allocates nothing: what is written out here would, as a function, box a number for each server. */
  fill(places: readonly Place[], now: number): void {
    const count = places.length;
    const { known, softness, weights, scores } = this;
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const place = places[i];
      if (place === undefined) continue;
      const source = sourceOf(place, known);
      const out = place.server.blockedUntil > now || (known && source.load === undefined);
      const ramp = Math.min(1, Math.max(leastRamp, (now - source.joinedAt) / slowStartTime));
      const weight = out ? 0 : source.weight * ramp;
      weights[i] = weight;
      sum += weight;
    }
    let mean = 0;
    for (let i = 0; i < count; i += 1) {
      const place = places[i];
      if (place === undefined) continue;
      // All failed: nobody is left out.
      const weight = sum > 0 ? (weights[i] ?? 0) / sum : 1 / count;
      const score = scoreOf(sourceOf(place, known), place.server);
      weights[i] = weight;
      scores[i] = score;
      mean += weight * score;
    }
    for (let i = 0; i < count; i += 1) {
      const place = places[i];
      if (place === undefined) continue;
      const source = sourceOf(place, known);
      const error = Math.min(maxError, (scores[i] ?? 0) - mean);
      const late = now - source.lateAt;
      const believed = late > 0 ? Math.exp(-late / source.spacing / lateFactor) * error : error;
      scores[i] = (mean + believed) / softness;
    }
    project(weights, scores, count, this.shares);
  }

  /**
   * The place that is owed most: smooth weighted round robin, corrected by what is in flight. Low variance: a share of a
   * tenth is every tenth pick, not a draw.
   */
  choose(places: readonly Place[], typicalKbps: number, answer: number): number {
    let inFlight = 0;
    for (const place of places) inFlight += sourceOf(place, this.known).inFlight;
    const pull = typicalKbps > 0 ? (inFlightPull * answer) / typicalKbps : 0;
    let chosen = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i];
      const share = this.shares[i] ?? 0;
      if (place === undefined || share < noShare) continue;
      const source = sourceOf(place, this.known);
      const owed = source.credit + share + pull * (share * inFlight - source.inFlight);
      if (owed <= most) continue;
      most = owed;
      chosen = i;
    }
    return chosen;
  }
}

/** 1 for a report in time, towards 0 for a late one. */
export function belief(source: Source, now: number): number {
  return now <= source.lateAt ? 1 : Math.exp((source.lateAt - now) / source.spacing / lateFactor);
}

/** 1 for a server that has been there for a while, less for a new one. */
export function slowStart(source: Source, now: number): number {
  return Math.min(1, Math.max(leastRamp, (now - source.joinedAt) / slowStartTime));
}

/**
 * The weight after a report: a step towards the share that its score asks for, as far as the load is ours, and back to
 * 1 as far as it is not.
 * @param above by how much the score was above the mean of those it stood beside
 * @param meanWeight of those
 * @param pace part of the way that this report may go
 * @param part of the load that is ours
 */
export function learned(
  weight: number,
  above: number,
  meanWeight: number,
  softness: number,
  pace: number,
  part: number,
): number {
  const error = Math.min(maxError, Math.max(-maxError, above));
  const tilt = Math.min(3, Math.max(0, 1 - error / softness));
  const ours = Math.min(1, part / enough);
  const moved = (weight * (1 + ours * pace * (tilt - 1))) / meanWeight ** reversion;
  const kept = moved ** (1 - forgetting * (1 - ours) ** 2);
  return Math.min(maxWeight, Math.max(minWeight, kept));
}
