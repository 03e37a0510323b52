// How good a report is, as one number: load + lossWeight × packet loss. Lower is better.
//
// Unknown is not zero: an endpoint that hides its load must not become the favourite. It ranks behind every endpoint
// with a known load, whatever that one's loss, because its score starts above the highest known one. An unknown loss is
// milder: many origins report a load and never a loss, so it counts as a small loss, the same for all of them, which
// leaves their order to the load and puts a measured clean path ahead at equal load.

import type { Endpoint } from '../model.js';
import type { PolicySettings, Terms } from './policy.js';

/** Fraction that an unknown packet loss counts as. */
export const assumedLoss = 0.005;

/** A fraction 0..1 as reported, or undefined when it is none: the registry is not trusted to send numbers. */
export function knownFraction(value: number | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined;
}

/** The registered weight: 1 where none is, or no number. */
export function weightOf({ weight }: Endpoint): number {
  return weight !== undefined && weight >= 0 && weight < Number.POSITIVE_INFINITY ? weight : 1;
}

/** Load + lossWeight × packet loss: 0..1+lossWeight with a known load, above that without. Never NaN, never throws. */
export function score(endpoint: Endpoint, settings: PolicySettings): number {
  const { lossWeight } = settings;
  const load = knownFraction(endpoint.load) ?? 2 + lossWeight;
  return load + lossWeight * (knownFraction(endpoint.packetLoss) ?? assumedLoss);
}

/** What `score` is made of, for `explain`. Unknown values are left undefined. */
export function scoreTerms(endpoint: Endpoint, settings: PolicySettings): Terms {
  const load = knownFraction(endpoint.load);
  const packetLoss = knownFraction(endpoint.packetLoss);
  return {
    score: score(endpoint, settings),
    load,
    packetLoss,
    lossPenalty: settings.lossWeight * (packetLoss ?? assumedLoss),
  };
}
