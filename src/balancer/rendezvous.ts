// The endpoint whose address hashes highest together with the key, so that all edges send one channel to one origin
// without talking to each other, and an endpoint that leaves moves only its own channels.
//
// It ignores load and loss: right where origins pull a channel from elsewhere on demand and each further one costs.
// Source: D. Thaler, C. Ravishankar, Using Name-Based Mappings to Increase Hit Rates, 1998.

import { mix32 } from '../mix.js';
import type { PickContext, Policy } from './policy.js';

/** Picks by rendezvous hash of channel and address. Stateless. */
export const rendezvous: Policy = {
  why: 'highest hash of channel and address',
  pick(candidates, { key }) {
    const seed = absorb(offset, key);
    let chosen = 0;
    let highest = -1;
    for (let i = 0; i < candidates.length; i += 1) {
      const weight = mix32(absorb(seed, candidates[i]?.endpoint.address ?? ''));
      if (weight <= highest) continue;
      highest = weight;
      chosen = i;
    }
    return chosen;
  },
  terms: ({ endpoint }, context) => ({ score: 1 - weightOf(endpoint.address, context) / 2 ** 32 }),
};

function weightOf(address: string, { key }: PickContext): number {
  return rendezvousWeight(key, address);
}

/** The weight of a place for a key, from 0 to 2^32 - 1: the place with the highest one has the key. */
export function rendezvousWeight(key: string, place: string): number {
  return mix32(absorb(absorb(offset, key), place));
}

const offset = 0x811c9dc5;

/**
 * FNV-1a over UTF-16 units, then a separator, so that ("ab", "c") and ("a", "bc") differ. It has to be mixed: alone it leaves
 * addresses that differ in their last digit in the same order for any key.
 */
function absorb(hash: number, text: string): number {
  let h = hash;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return Math.imul(h ^ 0x1_0000, 0x01000193);
}
