// Any endpoint, with equal chance. The null policy: what every other one has to beat.

import type { Policy } from './policy.js';

/** Picks at random. Stateless. */
export const random: Policy = {
  why: 'drawn at random',
  pick: (candidates, context) => Math.floor(context.random() * candidates.length),
  terms: () => ({ score: 0 }),
};
