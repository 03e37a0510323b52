// What `explain` says: for every endpoint of a channel its score and terms, why it is eligible or not, and in one sentence
// why the one is picked. `docs/balancing.md` has what each term means.

import { endpointJson } from '../endpoint-json.js';
import type { ChannelName, Endpoint, EndpointId } from '../model.js';
import type { Policy, Terms } from './policy.js';
import type { LeftOut } from './preference.js';

/** Why an endpoint is not picked now. */
export type Ineligible = 'ejected' | 'address_refused' | LeftOut;

export interface ExplainedEndpoint {
  readonly endpoint: Endpoint;
  readonly terms: Terms;
  readonly eligible: boolean;
  readonly reason: Ineligible | undefined;
  /** The most of the picks that its weight allows, 0..1; undefined: no limit. */
  readonly weightShare: number | undefined;
  /** Age of the report in ms. */
  readonly reportAgeMs: number;
  readonly inFlight: number;
  readonly consecutiveFailures: number;
  /** ms that its ejection still lasts. */
  readonly ejectedForMs: number;
  /** The channel's HLS stays here while the margin allows. */
  readonly sticky: boolean;
}

export interface Explanation {
  readonly channel: ChannelName;
  readonly policy: string;
  /** Passive health is ignored, since more than the threshold of the channel is ejected. */
  readonly panic: boolean;
  /** Part of the picks that spill over to other zones, 0..1. */
  readonly zoneSpill: number;
  /** The endpoint that a request would go to now. */
  readonly picked: EndpointId | undefined;
  /** In a sentence, why this one; undefined without one. */
  readonly why: string | undefined;
  readonly endpoints: readonly ExplainedEndpoint[];
}

/** What the sentence is made of: of each endpoint that could be picked. */
export interface Contestant {
  readonly id: EndpointId;
  readonly terms: Terms;
}

/**
 * Why an endpoint is picked, in a sentence. Pure.
 * @param kept the channel's HLS stays where it is
 */
export function whyPicked(
  { why }: Pick<Policy, 'why'>,
  picked: EndpointId,
  contestants: readonly Contestant[],
  kept: boolean,
): string {
  const terms = contestants.find(({ id }) => id === picked)?.terms;
  if (terms === undefined && kept) return 'its HLS stays here for now, though others are preferred';
  if (terms === undefined || contestants.length === 1) return 'the only one that can be picked';
  const rank = 1 + contestants.filter((other) => other.terms.score < terms.score).length;
  if (kept) return `its HLS stays here: ${ordinal(rank)} score, within the margin`;
  if (why !== undefined) return why;
  const shares = contestants.map((one) => one.terms['share'] ?? 0).filter((share) => share >= 0.005);
  if (shares.length < 2) return `${ordinal(rank)} score`;
  const told = `shares ${shares
    .toSorted((a, b) => b - a)
    .map((share) => Math.round(100 * share))
    .join('/')}`;
  const part = Math.round(100 * (terms['gain'] ?? 0));
  return part < 1
    ? `${ordinal(rank)} score, a tie: ${told}`
    : `${ordinal(rank)} score: ${part} % of the load is taken to be our traffic, ${told}`;
}

const ordinals = ['lowest', 'second lowest', 'third lowest'];
const ordinal = (rank: number) => ordinals[rank - 1] ?? `${rank}th lowest`;

/** The explanation as the API gives it (docs/balancing.md): names with underscores, times in seconds. */
export function explanationJson(explanation: Explanation) {
  const { channel, policy, panic, zoneSpill, picked, why, endpoints } = explanation;
  return {
    channel,
    policy,
    panic,
    zone_spill: zoneSpill,
    picked,
    why,
    endpoints: endpoints.map((one) => ({
      ...endpointJson(one.endpoint),
      terms: one.terms,
      eligible: one.eligible,
      reason: one.reason,
      weight_share: one.weightShare,
      report_age_seconds: one.reportAgeMs / 1000,
      in_flight: one.inFlight,
      consecutive_failures: one.consecutiveFailures,
      ejected_for_seconds: one.ejectedForMs / 1000,
      sticky: one.sticky,
    })),
  };
}
