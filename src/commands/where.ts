// Pure: names of places in messages.

import type { Config } from '../config-schema.js';
import { edgeUrl } from '../registrar/edge-url.js';
import { namesOf, treesOf } from '../registry/trees.js';

/** `http://HOST:PORT`, with brackets where the host needs them. */
export function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The place that endpoints come from. */
export function registryName({ kind, zookeeper, file }: Config['registry']): string {
  if (kind === 'file')
    return file.path === undefined ? `origins of the settings (${file.origins.length})` : `file ${file.path}`;
  if (kind === 'embedded') return 'embedded';
  const servers = zookeeper.servers.replace(/\/$/, '');
  return zookeeper.trees.length === 0
    ? `zookeeper ${servers}${zookeeper.root}`
    : `zookeeper ${servers}: ${namesOf(treesOf(zookeeper))}`;
}

/** The same for a user who waits, with advice for the case that nothing comes. */
export function awaitedRegistry(config: Config): { readonly name: string; readonly advice: string } {
  if (config.registry.kind === 'file') {
    return { name: registryName(config.registry), advice: 'is it there, and can it be used?' };
  }
  return config.registry.kind === 'zookeeper'
    ? { name: registryName(config.registry), advice: 'is it running, and does --zookeeper name it?' }
    : { name: `the edge at ${edgeUrl(config)}`, advice: 'is it running, and does --admin name it?' };
}
