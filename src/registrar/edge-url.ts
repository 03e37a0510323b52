// Pure: where the admin listener of an edge is asked for its embedded registry.

import type { Config } from '../config-schema.js';
import { parseListenAddress } from '../net-address.js';

const everywhere = ['', '0.0.0.0', '::'];

/** Without a URL in the settings, the edge on this machine; one that listens everywhere, over loopback. */
export function edgeUrl({ admin, registry }: Config): string {
  const { url } = registry.embedded;
  if (url !== undefined) return url.replace(/\/$/, '');
  const { host = '', port } = parseListenAddress(admin.listen) ?? { port: 0 };
  const reached = everywhere.includes(host) ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
