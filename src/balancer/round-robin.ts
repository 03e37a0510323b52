// The endpoint whose address was picked longest ago; of those never picked one at random, so that edges that start
// together do not walk in step.
//
// Turns are kept by address: a server with many channels gets one turn, not one per channel. It ignores load, loss and
// capacity: right where origins are equal and reports are missing or not to be believed.

import type { Policy } from './policy.js';

/** Picks the server that was picked longest ago. Stateless: the balancer counts picks. */
export const roundRobin: Policy = {
  why: 'picked longest ago',
  pick(candidates, { random }) {
    let chosen = 0;
    let oldest = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let i = 0; i < candidates.length; i += 1) {
      const last = candidates[i]?.state.lastPick ?? Number.POSITIVE_INFINITY;
      if (last > oldest) continue;
      ties = last < oldest ? 1 : ties + 1;
      oldest = last;
      if (ties === 1 || random() * ties < 1) chosen = i;
    }
    return chosen;
  },
  terms: ({ state }) => ({ score: state.lastPick }),
};
