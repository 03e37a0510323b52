// The client behind a request for HLS and its token, also when another worker asks for its player.

import { clientKey } from './client-key.js';
import type { PlayerExchange } from './exchange.js';

/** Tells the worker that owns a channel for which client another one asks. Believed on the workers' own sockets only. */
export const clientField = 'x-weir-client';

/** Tells the worker that owns a channel what goes into the URIs of a player's playlist. Believed as `clientField` is. */
export const carriedField = 'x-weir-carried';

/** What goes into each URI of the player's playlists and nowhere else; empty: nothing. */
export function carriedBy({ request: { headers }, edge, carried }: PlayerExchange): string {
  return edge.audience === 'peers' ? String(headers[carriedField] ?? '') : carried;
}

/** The client that limits count: of a player its address or network, of another worker the one that it names. */
export function clientOf({ request: { headers }, edge, hop }: PlayerExchange): string {
  if (edge.audience === 'peers') return String(headers[clientField] ?? '');
  return clientKey(hop.remoteAddress, hop.trustForwarded ? headers['x-forwarded-for'] : undefined);
}
