// Pure: which worker owns a channel. Only the owner takes it from endpoints; the other workers take it from the owner.

import { rendezvousWeight } from '../balancer/rendezvous.js';

/** A worker that serves players, as all workers know it. */
export interface Member {
  /** The slot of the worker. A worker that replaces it takes over the slot and its channels. */
  readonly slot: number;
  /** Names the process: another one in the same slot has another name. */
  readonly name: string;
  /** Path of the Unix socket on which it serves the other workers. */
  readonly socket: string;
}

/** The member whose slot hashes highest with the channel: when one leaves or joins, only its own channels move. */
export function ownerOf(channel: string, members: readonly Member[]): Member | undefined {
  let owner: Member | undefined;
  let highest = -1;
  for (const member of members) {
    const weight = rendezvousWeight(channel, `worker ${member.slot}`);
    if (weight <= highest) continue;
    highest = weight;
    owner = member;
  }
  return owner;
}
