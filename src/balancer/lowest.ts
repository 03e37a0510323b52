// The endpoint with the lowest score; of those within the tie band of it one at random, so that equals share.
//
// Literal and easy to predict. Right for few edges or for long streams, where the load that one places stays visible.
// Many edges with short requests herd on the same endpoint until its next report.

import type { Candidate, PickContext, Policy } from './policy.js';
import { score, scoreTerms } from './score.js';

/** Picks the lowest score. Stateless. */
export const lowest: Policy = {
  pick(candidates, context) {
    const best = lowestScore(candidates, context);
    let ties = 0;
    for (const candidate of candidates) if (isTie(candidate, best, context)) ties += 1;
    let skip = Math.floor(context.random() * ties);
    for (let i = 0; i < candidates.length; i += 1) {
      const candidate = candidates[i];
      if (candidate === undefined || !isTie(candidate, best, context)) continue;
      if (skip === 0) return i;
      skip -= 1;
    }
    return 0;
  },
  terms: ({ endpoint }, { settings }) => scoreTerms(endpoint, settings),
};

function lowestScore(candidates: readonly Candidate[], { settings }: PickContext): number {
  let best = Number.POSITIVE_INFINITY;
  for (const { endpoint } of candidates) best = Math.min(best, score(endpoint, settings));
  return best;
}

/** Closer than the band; a band of 0 leaves only exact equals. */
function isTie({ endpoint }: Candidate, best: number, { settings }: PickContext): boolean {
  const own = score(endpoint, settings);
  return own === best || own - best < settings.tieBand;
}
