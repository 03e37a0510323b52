// Pure: where something is, in the words of a message.

import type { Config } from '../config-schema.js';
import { edgeUrl } from '../registrar/edge-url.js';

/** `http://HOST:PORT`, with brackets where the host needs them. */
export function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Where endpoints come from. */
export function registryName({ kind, zookeeper }: Config['registry']): string {
  return kind === 'embedded' ? 'embedded' : `zookeeper ${zookeeper.servers.replace(/\/$/, '')}${zookeeper.root}`;
}

/** The same for who waits for it, with what to do when nothing is heard. */
export function awaitedRegistry(config: Config): { readonly name: string; readonly advice: string } {
  return config.registry.kind === 'zookeeper'
    ? { name: registryName(config.registry), advice: 'is it running, and does --zookeeper name it?' }
    : { name: `the edge at ${edgeUrl(config)}`, advice: 'is it running, and does --admin name it?' };
}
