// Pure: the address of a player, for the log, and the key of a client, for limits.

import { isIPv6 } from 'node:net';

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

/** The address, of IPv6 its network of 64 bits, since that is what one subscriber has (RFC 6177). */
export function clientKey(remoteAddress: string, forwardedFor: string | string[] | undefined): string {
  const address = playerAddress(remoteAddress, forwardedFor);
  // Asked for each request: most addresses are IPv4, and the check is a regular expression.
  return address.includes(':') && isIPv6(address) ? network(address) : address;
}

function network(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  // Without `::` all groups are there; with it, zeros stand for what lies between.
  while (groups.length < 4 && tail !== undefined) groups.push('0');
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
