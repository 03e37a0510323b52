// What `explain` says: for every endpoint of a channel its score and terms, and why it is eligible or not.

import { endpointJson } from '../endpoint-json.js';
import type { ChannelName, Endpoint, EndpointId } from '../model.js';
import type { Terms } from './policy.js';

/** Why an endpoint is not picked now. */
export type Ineligible = 'ejected' | 'address_refused' | 'last_resort';

export interface ExplainedEndpoint {
  readonly endpoint: Endpoint;
  readonly terms: Terms;
  readonly eligible: boolean;
  readonly reason: Ineligible | undefined;
  /** Age of the report in ms. */
  readonly reportAge: number;
  readonly inFlight: number;
  readonly consecutiveFailures: number;
  /** ms that its ejection still lasts. */
  readonly ejectedFor: number;
  /** The channel's HLS stays here while the margin allows. */
  readonly sticky: boolean;
}

export interface Explanation {
  readonly channel: ChannelName;
  readonly policy: string;
  /** Passive health is ignored, since more than the threshold of the channel is ejected. */
  readonly panic: boolean;
  /** Whom a request would go to now. */
  readonly picked: EndpointId | undefined;
  readonly endpoints: readonly ExplainedEndpoint[];
}

export function explanationJson(explanation: Explanation) {
  const { channel, policy, panic, picked, endpoints } = explanation;
  return {
    channel,
    policy,
    panic,
    picked,
    endpoints: endpoints.map((one) => ({
      ...endpointJson(one.endpoint),
      terms: one.terms,
      eligible: one.eligible,
      reason: one.reason,
      report_age_seconds: one.reportAge / 1000,
      in_flight: one.inFlight,
      consecutive_failures: one.consecutiveFailures,
      ejected_for_seconds: one.ejectedFor / 1000,
      sticky: one.sticky,
    })),
  };
}
