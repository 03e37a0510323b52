// Endpoints among which a policy picks, where some weigh less than others: a canary of weight 0.05 beside one of 1 gets no
// more than 0.05 of 1.05 of the picks, whatever the policy thinks of it.
//
// The policy picks from all of them. When it wants a lighter one that has not saved up a pick yet, it picks again: from the
// heaviest ones, and the lighter one that has saved most. So the rule of the policy stays what it is.

import type { Credit, Credits } from './credit.js';
import type { Candidate, PickContext, Policy } from './policy.js';
import { weightOf } from './score.js';

/** One that weighs less than the heaviest. */
interface Light {
  readonly candidate: Candidate;
  /** The most of the picks that it gets, 0..1. */
  readonly share: number;
  readonly credit: Credit;
  /** The heaviest and this one. */
  readonly offer: readonly Candidate[];
}

/** Made when endpoints change; a pick allocates nothing. */
export class WeightedSet {
  readonly all: readonly Candidate[];
  readonly #heaviest: readonly Candidate[];
  readonly #lights: readonly Light[];

  /** @param all none of weight 0 */
  constructor(all: readonly Candidate[], credits: Credits) {
    this.all = all;
    let most = 0;
    let sum = 0;
    for (const { endpoint } of all) {
      most = Math.max(most, weightOf(endpoint));
      sum += weightOf(endpoint);
    }
    const heaviest = all.filter(({ endpoint }) => weightOf(endpoint) === most);
    this.#heaviest = heaviest.length === all.length ? all : heaviest;
    this.#lights = all
      .filter(({ endpoint }) => weightOf(endpoint) < most)
      .map((candidate) => ({
        candidate,
        share: weightOf(candidate.endpoint) / sum,
        credit: credits.of(candidate.endpoint.id),
        offer: [...heaviest, candidate],
      }));
  }

  /** Those whose share nothing limits but the policy. */
  get heaviest(): readonly Candidate[] {
    return this.#heaviest;
  }

  get isEven(): boolean {
    return this.#lights.length === 0;
  }

  /** The most of the picks that it gets by its weight; undefined: no limit. */
  limitOf(candidate: Candidate): number | undefined {
    return this.#lightOf(candidate)?.share;
  }

  /** A pick, which costs a lighter endpoint what it has saved. Undefined only for an empty set. */
  pick(policy: Policy, context: PickContext): Candidate | undefined {
    for (const { credit, share } of this.#lights) credit.save(share);
    const chosen = this.preview(policy, context);
    if (chosen !== undefined) this.#lightOf(chosen)?.credit.spend();
    return chosen;
  }

  /** What a pick would choose with what is saved now. */
  preview(policy: Policy, context: PickContext): Candidate | undefined {
    const chosen = pickFrom(this.all, policy, context);
    if (chosen === undefined) return undefined;
    const light = this.#lightOf(chosen);
    return light === undefined || light.credit.isDue ? chosen : pickFrom(this.#offer(), policy, context);
  }

  #lightOf(candidate: Candidate): Light | undefined {
    for (const light of this.#lights) if (light.candidate === candidate) return light;
    return undefined;
  }

  #offer(): readonly Candidate[] {
    let richest: Light | undefined;
    for (const light of this.#lights) {
      if (light.credit.isDue && light.credit.saved > (richest?.credit.saved ?? 0)) richest = light;
    }
    return richest?.offer ?? this.#heaviest;
  }
}

function pickFrom(candidates: readonly Candidate[], policy: Policy, context: PickContext): Candidate | undefined {
  return candidates.length === 0 ? undefined : (candidates[policy.pick(candidates, context)] ?? candidates[0]);
}
