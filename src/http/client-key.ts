// Pure: the address of a player, for the log, and the key of a client, for limits.

import { clientNetwork } from '../net-address.js';

/** Characters of an address at most; a trusted proxy that writes something else is taken at its word. */
const maxChars = 64;

/**
 * The address of a player. Behind a trusted proxy the last entry of X-Forwarded-For counts: it is the proxy's own, what stands
 * before it is the player's word.
 *
 * @param forwardedFor only where it is trusted
 */
export function playerAddress(remoteAddress: string, forwardedFor: string | string[] | undefined): string {
  const entries = typeof forwardedFor === 'string' ? forwardedFor : forwardedFor?.at(-1);
  const address = entries?.slice(entries.lastIndexOf(',') + 1).trim() || remoteAddress;
  return address.slice(0, maxChars);
}

/** The address of a player as `clientNetwork`. */
export function clientKey(remoteAddress: string, forwardedFor: string | string[] | undefined): string {
  return clientNetwork(playerAddress(remoteAddress, forwardedFor));
}
