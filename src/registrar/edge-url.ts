// Pure: the URL of the admin listener of an edge, which answers for its embedded registry.

import type { Config } from '../config-schema.js';
import { parseListenAddress } from '../net-address.js';

const everywhere = ['', '0.0.0.0', '::'];

/** The URL of an edge that listens on `ADDRESS:PORT`: loopback where it listens everywhere; undefined for another text. */
export function listenerUrl(listen: string): string | undefined {
  const parsed = parseListenAddress(listen);
  if (parsed === undefined) return undefined;
  const { host = '', port } = parsed;
  const reached = everywhere.includes(host) ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** The URL in the settings; without one, the edge on this machine. */
export function edgeUrl({ admin, registry }: Config): string {
  const { url } = registry.embedded;
  if (url !== undefined) return url.replace(/\/$/, '');
  // The schema has checked it.
  return listenerUrl(admin.listen) ?? admin.listen;
}
