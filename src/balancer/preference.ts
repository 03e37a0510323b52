// Which endpoints are preferred by the traits of their registrations. An endpoint that drains, has no weight, is in another
// zone or has a lower priority is left out before a policy sees it. Pure.
//
// It is made when endpoints change, and only for a channel whose endpoints have such traits.
//
// Zones: the own zone first, without a cliff. Above a load of `zoneSpill` of its best endpoint, a part of the picks that
// grows to all of them at a load of 1 is made among the endpoints of all zones, where the policy decides.

import type { ChannelName, Endpoint } from '../model.js';
import { type AffinitySettings, leaveChance } from './affinity.js';
import type { Credit, Credits } from './credit.js';
import type { Candidate, PickContext, Policy } from './policy.js';
import { knownFraction, weightOf } from './score.js';
import { WeightedSet } from './weighted-set.js';

/** Part of what plays elsewhere that comes back after a report, while there is room. */
const returning = 0.5;

export interface PreferenceSettings extends AffinitySettings {
  /** The zone of this edge; undefined: zones do not matter. */
  readonly zone?: string | undefined;
  /** Load of the own zone's best endpoint above which picks spill over to others. */
  readonly zoneSpill: number;
}

/** Why an endpoint that can be picked is left out. */
export type LeftOut = 'last_resort' | 'draining' | 'no_weight' | 'lower_priority' | 'other_zone';

/** The preferred endpoints of one channel. Made anew whenever its endpoints change. */
export class Preference {
  /** Who may serve at all: what plays there may stay. */
  readonly usable: readonly Candidate[];
  /** Part of the picks that are made among all zones, 0..1. */
  readonly spill: number;
  readonly #preferred: WeightedSet;
  /** Of all zones. */
  readonly #tier: WeightedSet;
  /** Part of what plays elsewhere that may come back after a report. */
  readonly #returning: number;
  readonly #spilled: Credit | undefined;

  /** @param possible can be picked but for their traits: at least one */
  constructor(possible: readonly Candidate[], settings: PreferenceSettings, credits: Credits) {
    this.usable = usableOf(possible);
    const tier = lowestPriority(this.usable);
    const near = settings.zone === undefined ? [] : tier.filter(({ endpoint }) => endpoint.zone === settings.zone);
    const isZoned = near.length > 0 && near.length < tier.length;
    this.#tier = new WeightedSet(tier, credits);
    this.#preferred = isZoned ? new WeightedSet(near, credits) : this.#tier;
    const best = isZoned ? lowestLoad(near, settings) : 0;
    this.spill = best > settings.zoneSpill ? Math.min(1, (best - settings.zoneSpill) / (1 - settings.zoneSpill)) : 0;
    this.#spilled = this.spill > 0 ? credits.of(channelOf(near)) : undefined;
    this.#returning = returning * (best > 0 ? Math.max(0, 1 - best / settings.zoneSpill) : 1);
  }

  /** Nobody is left out, and nobody gets less than the policy says. */
  changesNothing(possible: readonly Candidate[]): boolean {
    return this.#preferred.all.length === possible.length && this.#preferred.isEven;
  }

  /** Whom a policy picks from, unless the pick spills over. */
  get preferred(): WeightedSet {
    return this.#preferred;
  }

  /** A pick; undefined where nobody is usable. */
  pick(policy: Policy, context: PickContext): Candidate | undefined {
    return this.#spills() ? this.#tier.pick(policy, context) : this.#preferred.pick(policy, context);
  }

  /** It weighs less than others, so that it gets a part of the picks at most. */
  isLimited(candidate: Candidate): boolean {
    return this.#tier.limitOf(candidate) !== undefined;
  }

  #spills(): boolean {
    if (this.#spilled === undefined) return false;
    this.#spilled.save(this.spill);
    if (!this.#spilled.isDue) return false;
    this.#spilled.spend();
    return true;
  }

  /** The chance that what plays at a usable endpoint leaves it after a report, 0 to 1. */
  leaveChance(mine: Candidate, settings: AffinitySettings): number {
    const { all, heaviest } = this.#preferred;
    // A lighter endpoint draws nobody away from a heavier one: it gets what new picks bring.
    if (all.includes(mine)) return leaveChance(mine, heaviest, settings);
    return this.spill > 0 && this.#tier.all.includes(mine)
      ? leaveChance(mine, this.#tier.heaviest, settings)
      : this.#returning;
  }

  /** Why it is left out; undefined where it is not. */
  leavesOut(candidate: Candidate): LeftOut | undefined {
    const { endpoint } = candidate;
    if (this.#preferred.all.includes(candidate)) return undefined;
    if (this.#tier.all.includes(candidate)) return 'other_zone';
    if (this.usable.includes(candidate)) return 'lower_priority';
    if (weightOf(endpoint) === 0) return 'no_weight';
    return endpoint.draining === true ? 'draining' : 'last_resort';
  }
}

/** Undefined where the traits of these endpoints make no difference. */
export function preferenceOf(
  possible: readonly Candidate[],
  settings: PreferenceSettings,
  credits: Credits,
): Preference | undefined {
  if (!possible.some(({ endpoint }) => hasTraits(endpoint))) return undefined;
  const preference = new Preference(possible, settings, credits);
  return preference.changesNothing(possible) ? undefined : preference;
}

function hasTraits({ draining, weight, zone, priority, lastResort }: Endpoint): boolean {
  return draining || lastResort || weight !== undefined || zone !== undefined || priority !== undefined;
}

/** Who drains serves only where nobody else does, who vanished only where nobody is registered, and weight 0 never. */
function usableOf(possible: readonly Candidate[]): readonly Candidate[] {
  const weighty = possible.filter(({ endpoint }) => weightOf(endpoint) > 0);
  const registered = weighty.filter(({ endpoint }) => endpoint.lastResort !== true);
  const staying = registered.filter(({ endpoint }) => endpoint.draining !== true);
  if (staying.length > 0) return staying;
  return registered.length > 0 ? registered : weighty;
}

function lowestPriority(candidates: readonly Candidate[]): readonly Candidate[] {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { endpoint } of candidates) lowest = Math.min(lowest, endpoint.priority ?? 0);
  return candidates.filter(({ endpoint }) => (endpoint.priority ?? 0) === lowest);
}

/** Of the best one, its packet loss counted in; 0 where one does not tell its load, which is no sign that it has too much. */
function lowestLoad(candidates: readonly Candidate[], { lossWeight }: PreferenceSettings): number {
  let lowest = 1;
  for (const { endpoint } of candidates) {
    const load = (knownFraction(endpoint.load) ?? 0) + lossWeight * (knownFraction(endpoint.packetLoss) ?? 0);
    lowest = Math.min(lowest, load);
  }
  return lowest;
}

function channelOf([first]: readonly Candidate[]): ChannelName {
  return first?.endpoint.channel ?? ('' as ChannelName);
}
