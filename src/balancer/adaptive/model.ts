// The model: how much of a load can be, and is taken to be, our own traffic. Pure functions.
//
// A server's load is what others put on it plus what we do:
//
//     load = others + own,     own = what we carry there ÷ the server's capacity
//
// where "we" are all edges and workers that pick by the same reports, and so move alike. The capacity is not known, nor, as
// a rule, how many edges there are. So `own` is bounded from two sides: by what our traffic can have done at most, and by
// what the reports prove that it did (`estimate.ts`, `verdict.ts`).

import type { Candidate, PickContext } from '../policy.js';

/** kbit/s of a stream that reports none. */
const assumedKbps = 2_000;
/** Mbit/s that a server is taken to carry at load 1 as long as nothing is known, and the least that one may carry. */
const assumedCapacityMbps = 200;
const minCapacityMbps = 50;
/** Edges that may move alike, whatever number is told. */
const maxEdges = 100;
/** Part of a load from which on ours is taken for a cause without proof; half of this counts for nearly nothing. */
const suspicious = 0.7;
/** Part of a load that ours has to be able to make for a proof to count in half. */
const plausible = 0.3;
/** Above the highest load per Mbit/s of ours that was seen: reports are noisy. */
const margin = 1.25;
/** A lower load says little of the capacity: it is noise and rounding. */
const minReported = 0.02;

/**
 * The load, 0 to `mean`, that is taken to be ours at each server of a set.
 *
 * Without evidence it follows a curve through the part that we would make of the load if a server carried
 * 200 Mbit/s. A part of 0.8 or more is taken for the whole: to believe too much of oneself makes slow, to believe too
 * little makes all edges herd. Below a half it falls off with its fifth power: a quarter is taken for a hundredth. There
 * is no step in between.
 * Proof adds to that, weighed by whether it is physically plausible; and no evidence can make our part larger than the
 * capacity that a server was seen to have allows.
 * @param mean load of the servers
 * @param carried Mbit/s of ours in flight at each server on average
 * @param deciders edges and workers that are known to pick by the same reports; 1 when alone or not told
 * @param capacity Mbit/s of ours that load a server by 1, at least (`leastCapacity`)
 * @param proven 0 to 1: our traffic was proven to move the loads, doubt counting against us
 * @param suspicion 0 to 1: what evidence leaves of it
 */
export function ownLoad(
  mean: number,
  carriedMbps: number,
  deciders: number,
  capacityMbps: number,
  proven: number,
  suspicion: number,
): number {
  const part = assumedPart(mean, carriedMbps, deciders);
  const suspected = suspicion * Math.min(1, 2 * part * rise(part * part, suspicious * suspicious));
  const possible = (Math.max(deciders, maxEdges) * carriedMbps) / minCapacityMbps / mean;
  const guilty = proven * rise(possible, plausible);
  return Math.min(mean, (margin * carriedMbps) / capacityMbps, mean * Math.max(suspected, guilty));
}

/**
 * The part of the mean load that we make if a server carries 200 Mbit/s: 0, and above 1 where it carries more.
 * @param carriedMbps of ours in flight at each server on average
 * @param deciders edges and workers that are known to pick by the same reports
 */
export function assumedPart(mean: number, carriedMbps: number, deciders: number): number {
  return (deciders * carriedMbps) / assumedCapacityMbps / mean;
}

/** From 0 to 1, a half at `half`, with the square of x below it. */
export function rise(x: number, half: number): number {
  return (x * x) / (x * x + half * half);
}

/**
 * The capacity that servers have at least, in Mbit/s of ours at load 1, after a report: what we carried is no more than the
 * load that was told. Follows what it sees above it in a few reports, and forgets that in some hundred, unless we carry
 * so little that it says nothing.
 */
export function capacityAfter(capacityMbps: number, carriedMbps: number, load: number): number {
  const seen = carriedMbps / Math.max(minReported, load);
  return (
    capacityMbps + (seen - capacityMbps) * (seen > capacityMbps ? 0.1 : 0.005 * Math.min(1, (4 * seen) / capacityMbps))
  );
}

/** kbit/s that a pick of this endpoint carries: as reported, else 2,000. */
export function pickKbps({ endpoint: { bitrate } }: Candidate): number {
  return typeof bitrate === 'number' && bitrate > 0 && bitrate < 1e9 ? bitrate : assumedKbps;
}

/** Who picks by the same reports. A worker picks on its own for a part of the channels: it is an edge of its own here. */
export function decidersOf({ workers, settings }: PickContext): number {
  return settings.edges * workers;
}
