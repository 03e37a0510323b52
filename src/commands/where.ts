// Pure: where something is, in the words of a message.

import type { Config } from '../config-schema.js';
import { parseListenAddress } from '../net-address.js';

/** `http://HOST:PORT`, with brackets where the host needs them. */
export function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Where endpoints come from. */
export function registryName({ kind, zookeeper }: Config['registry']): string {
  return kind === 'embedded' ? 'embedded' : `zookeeper ${zookeeper.servers.replace(/\/$/, '')}${zookeeper.root}`;
}

/** Where the edge is asked for an embedded registry; without a URL in the settings, on this machine. */
export function edgeUrl(config: Config): string {
  const { url } = config.registry.embedded;
  if (url !== undefined) return url.replace(/\/$/, '');
  const { host = '', port } = parseListenAddress(config.admin.listen) ?? { port: 0 };
  return urlOf({ address: ['', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host, port });
}
