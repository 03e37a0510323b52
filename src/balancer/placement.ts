// The endpoint of a pick among those that can be picked: a sticky pick stays where the HLS of its channel is, the others go
// where the policy says, among the endpoints that their traits prefer.

import type { ChannelName, EndpointId } from '../model.js';
import { Affinity, type AffinityContext } from './affinity.js';
import type { Field } from './candidates.js';
import { Credits } from './credit.js';
import type { Candidate, PickContext, Policy } from './policy.js';
import { type Preference, type PreferenceSettings, preferenceOf } from './preference.js';

type Context = PickContext & AffinityContext;

/** Whom a pick keeps together with its channel; `PickOptions` of the balancer has them. */
interface Bond {
  readonly sticky?: boolean;
  readonly session?: boolean;
}

/**
 * Places each pick: sticky ones stay with their channel, the others go by policy and preference. Sole owner of where
 * HLS is.
 */
export class Placement {
  readonly #affinity = new Affinity();
  readonly #credits: Credits;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#credits = new Credits(random);
  }

  /** What the traits of these say; undefined: nothing. */
  prefer(candidates: readonly Candidate[], settings: PreferenceSettings): Preference | undefined {
    return preferenceOf(candidates, settings, this.#credits);
  }

  /** Undefined where nobody may be picked. */
  choose(name: ChannelName, { candidates, preference }: Field, bond: Bond, policy: Policy, context: Context) {
    if (preference !== undefined) return this.#chooseByTraits(name, preference, bond, policy, context);
    if (candidates.length === 0) return undefined;
    const kept = bond.sticky === true ? this.#affinity.stay(name, candidates, context) : -1;
    const chosen = candidates[kept >= 0 ? kept : policy.pick(candidates, context)] ?? candidates[0];
    if (bond.sticky === true && chosen !== undefined) this.#affinity.stick(name, chosen);
    return chosen;
  }

  #chooseByTraits(name: ChannelName, preference: Preference, bond: Bond, policy: Policy, context: Context) {
    if (bond.sticky !== true) return preference.pick(policy, context);
    const kept = preference.usable[this.#affinity.stay(name, preference.usable, context, preference)];
    const isAlone = bond.session === true && !preference.preferred.isEven;
    if (kept !== undefined && !isAlone) return kept;
    const picked = preference.pick(policy, context);
    // A canary gets the sessions that picks bring it, and not those that follow one.
    if (isAlone && picked !== undefined && preference.isLimited(picked)) return picked;
    const chosen = kept === undefined || preference.isLimited(kept) ? picked : kept;
    if (chosen !== undefined) this.#affinity.stick(name, chosen);
    return chosen;
  }

  /** Draws whether a session leaves this endpoint of the channel; certain where it is not possible any more. */
  drawLeave(name: ChannelName, id: EndpointId, { candidates, preference }: Field, context: Context): boolean {
    const isWithChannel = this.#affinity.of(name) === id;
    if (preference === undefined) return !isWithChannel || this.#affinity.stay(name, candidates, context) < 0;
    const { usable } = preference;
    const mine = usable.find(({ endpoint }) => endpoint.id === id);
    if (mine === undefined) return true;
    if (isWithChannel) return this.#affinity.stay(name, usable, context, preference) < 0;
    return !preference.isLimited(mine) || this.#affinity.drawLeave(mine, context, preference);
  }

  /** Where the sticky picks of the channel stay now; undefined where they go elsewhere for certain, or there are none. */
  stayOf(name: ChannelName, { candidates, preference }: Field, context: Context): Candidate | undefined {
    const among = preference?.usable ?? candidates;
    return among[this.#affinity.mayStay(name, among, context, preference)];
  }

  /** The endpoint where the channel's sticky picks are. */
  of(name: ChannelName): EndpointId | undefined {
    return this.#affinity.of(name);
  }

  stick(name: ChannelName, candidate: Candidate): void {
    this.#affinity.stick(name, candidate);
  }

  drop(endpoint: EndpointId): void {
    this.#affinity.drop(endpoint);
    this.#credits.forget(endpoint);
  }

  forget(channel: ChannelName): void {
    this.#affinity.forget(channel);
    this.#credits.forget(channel);
  }
}
