// Pure: who owns a channel. Among the workers of an edge and among the edges of a site, only the owner takes it from
// endpoints; the others take it from the owner.

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

/** An edge of this site that gives others the channels it owns. */
export interface SiteEdge {
  /** No other edge of the site has it. */
  readonly name: string;
  /** Where it gives them: `HOST:PORT`. */
  readonly address: string;
}

/** The member whose slot hashes highest with the channel: when one leaves or joins, only its own channels move. */
export function ownerOf(channel: string, members: readonly Member[]): Member | undefined {
  return highest(channel, members, ({ slot }) => `worker ${slot}`);
}

/** The edge whose name hashes highest with the channel, in the same way. */
export function owningEdge(channel: string, edges: readonly SiteEdge[]): SiteEdge | undefined {
  return highest(channel, edges, ({ name }) => `edge ${name}`);
}

function highest<T>(channel: string, places: readonly T[], nameOf: (place: T) => string): T | undefined {
  let owner: T | undefined;
  let most = -1;
  for (const place of places) {
    const weight = rendezvousWeight(channel, nameOf(place));
    if (weight <= most) continue;
    most = weight;
    owner = place;
  }
  return owner;
}
