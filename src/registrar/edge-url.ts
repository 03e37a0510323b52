// Pure: where the admin listener of an edge is asked for its embedded registry.

import type { Config } from '../config-schema.js';
import { parseListenAddress } from '../net-address.js';

const everywhere = ['', '0.0.0.0', '::'];

/** The edge that listens at `ADDRESS:PORT`: over loopback if it does so everywhere. undefined: it is no such address. */
export function listenerUrl(listen: string): string | undefined {
  const parsed = parseListenAddress(listen);
  if (parsed === undefined) return undefined;
  const { host = '', port } = parsed;
  const reached = everywhere.includes(host) ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** Without a URL in the settings, the edge on this machine. */
export function edgeUrl({ admin, registry }: Config): string {
  const { url } = registry.embedded;
  if (url !== undefined) return url.replace(/\/$/, '');
  // The schema has checked it.
  return listenerUrl(admin.listen) ?? admin.listen;
}
