// Power of two choices: of two endpoints drawn at random the one with the lower score; within the tie band the one with
// fewer of our own requests in flight.
//
// Never worse than second worst, and half-blind on purpose: no report can draw everybody at once. It herds far less than
// the lowest score, yet ignores capacity and keeps feeding a bad endpoint that meets a worse one.
// Source: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 1996.

import type { Candidate, PickContext, Policy } from './policy.js';
import { score, scoreTerms } from './score.js';

/** Picks the better of two candidates drawn at random. Stateless. */
export const p2c: Policy = {
  why: 'the lower score of two drawn',
  pick(candidates, context) {
    const count = candidates.length;
    const first = Math.floor(context.random() * count);
    if (count < 2) return 0;
    const second = (first + 1 + Math.floor(context.random() * (count - 1))) % count;
    return better(candidates[second], candidates[first], context) ? second : first;
  },
  terms: (candidate, { settings }) => ({
    ...scoreTerms(candidate.endpoint, settings),
    inFlight: candidate.state.inFlight,
  }),
};

function better(a: Candidate | undefined, b: Candidate | undefined, { settings }: PickContext): boolean {
  if (a === undefined || b === undefined) return false;
  const difference = score(a.endpoint, settings) - score(b.endpoint, settings);
  return Math.abs(difference) > settings.tieBand ? difference < 0 : a.state.inFlight < b.state.inFlight;
}
