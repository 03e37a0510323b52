// The decision: shares from scores, and a pick from shares.
//
// If a server at its share m of our traffic carries a load `own` of ours, then a share p there makes its load
//
//     load + own × (p − m) / m
//
// All loads of a set become equal at p = m × (1 + (mean − load) / own): the shares that would level the loads at once. Others
// do the same at the same time, and reports are late. So one report goes only a part of the way, the caution. That is the
// same as a larger `own`: p = m × (1 + (mean − load) / softness), softness = own / caution. Shares below zero are none:
// `project` takes them out and keeps the sum. Where `own` is zero the softness is too, and all goes to the lowest score.
//
// m is the weight of a server. Shifts that last are learned into it (`learned`): it becomes the server's relative capacity,
// and stays when reports are late.

import { project } from '../simplex.js';
import type { ServerRecord } from './server.js';
import type { ReportSource } from './source.js';

/** Part of the way to level loads that one report may go. Above 0.35 long report intervals begin to swing. */
export const caution = 0.3;
/** Scores further above the mean than this count as this: an overload must not upset what was learned. */
const maxError = 0.5;
/** Times its spacing in which a late report loses most of its belief. */
const lateFactor = 2;
/** ms until a new server gets its full share, and what it gets at first. */
const slowStartMs = 30_000;
const minRamp = 0.02;
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

/** One candidate of a pick: its server, and where its load comes from. */
export interface Contender {
  readonly server: ServerRecord;
  /** Reports of the endpoint itself. */
  readonly own: ReportSource;
  /** The weight that it registered: the capacity it starts with, which the learned weight of its source multiplies. */
  registered: number;
}

/** The source whose load counts for a contender: the server's where all its endpoints report one load. */
export function sourceOf({ server, own }: Contender, known: boolean): ReportSource {
  // Where no candidate tells a load, what their servers tell for other channels is better than nothing.
  const shared = known ? own.load !== undefined && server.agrees : server.source.load !== undefined;
  return shared ? server.source : own;
}

/** Lower is better; an unknown load counts as none, since it is compared with its like only. */
export function scoreOf(source: ReportSource, server: ServerRecord): number {
  return (source.load ?? 0) + source.penalty + server.slowPenalty;
}

/**
 * The difference of scores at which a server loses its whole share: see above.
 * Where no load among `count` servers is ours, only scores within the tie band share.
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
  fill(contenders: readonly Contender[], now: number): void {
    const count = contenders.length;
    const { known, softness, weights, scores } = this;
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const contender = contenders[i];
      if (contender === undefined) continue;
      const source = sourceOf(contender, known);
      const out = contender.server.blockedUntil > now || (known && source.load === undefined);
      const ramp = Math.min(1, Math.max(minRamp, (now - source.joinedAt) / slowStartMs));
      const weight = out ? 0 : contender.registered * source.weight * ramp;
      weights[i] = weight;
      sum += weight;
    }
    let mean = 0;
    for (let i = 0; i < count; i += 1) {
      const contender = contenders[i];
      if (contender === undefined) continue;
      // All failed: nobody is left out.
      const weight = sum > 0 ? (weights[i] ?? 0) / sum : 1 / count;
      const score = scoreOf(sourceOf(contender, known), contender.server);
      weights[i] = weight;
      scores[i] = score;
      mean += weight * score;
    }
    for (let i = 0; i < count; i += 1) {
      const contender = contenders[i];
      if (contender === undefined) continue;
      const source = sourceOf(contender, known);
      const error = Math.min(maxError, (scores[i] ?? 0) - mean);
      const late = now - source.lateAt;
      const believed = late > 0 ? Math.exp(-late / source.spacingMs / lateFactor) * error : error;
      scores[i] = (mean + believed) / softness;
    }
    project(weights, scores, count, this.shares);
  }

  /**
   * The index of the contender that is owed most: smooth weighted round robin, corrected by what is in flight. Low variance:
   * a share of a tenth is every tenth pick, not a draw.
   */
  choose(contenders: readonly Contender[], typicalKbps: number, answer: number): number {
    let inFlight = 0;
    for (const contender of contenders) inFlight += sourceOf(contender, this.known).inFlightKbps;
    const pull = typicalKbps > 0 ? (inFlightPull * answer) / typicalKbps : 0;
    let chosen = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < contenders.length; i += 1) {
      const contender = contenders[i];
      const share = this.shares[i] ?? 0;
      if (contender === undefined || share < noShare) continue;
      const source = sourceOf(contender, this.known);
      const owed = source.credit + share + pull * (share * inFlight - source.inFlightKbps);
      if (owed <= most) continue;
      most = owed;
      chosen = i;
    }
    return chosen;
  }
}

/** 1 for a report in time, towards 0 for a late one. */
export function belief(source: ReportSource, now: number): number {
  return now <= source.lateAt ? 1 : Math.exp((source.lateAt - now) / source.spacingMs / lateFactor);
}

/** 1 for a server that has been there for a while, less for a new one. */
export function slowStart(source: ReportSource, now: number): number {
  return Math.min(1, Math.max(minRamp, (now - source.joinedAt) / slowStartMs));
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
