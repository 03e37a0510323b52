// Pure: by which names the API may be asked. A web page whose own name points to this machine for a moment (DNS rebinding) is
// same-origin to its browser and could read everything. Such a name is one that anybody could register, so it is refused.

import { isIP } from 'node:net';

/** Top-level names that nobody can register: RFC 6761, ICANN's private use, and a cluster's own. */
const privateSuffixes = ['.localhost', '.internal', '.svc', '.cluster.local'];

/**
 * Whether a request with this Host may read the API: by address, by a name without a dot or under a private suffix, or by one
 * of `names` (one that begins with a dot stands for all below it). Without a Host it is no browser.
 */
export function isTrustedHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = nameOf(host);
  if (isIP(name) !== 0 || !name.includes('.')) return true;
  if (privateSuffixes.some((suffix) => name.endsWith(suffix))) return true;
  return names.some((known) => (known.startsWith('.') ? name.endsWith(known.toLowerCase()) : name === nameOf(known)));
}

/** Without port, brackets and the dot of the root. */
function nameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (host.split(':', 1)[0] ?? '');
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
