// Pure: finds the endpoints that a user means by a path, a name or an address.

import type { Endpoint, EndpointId } from '../model.js';
import { parseServiceAddress, serverOf } from '../net-address.js';

/** The node of an id: without the transaction that created it and, where a node has several endpoints, the address. */
export function pathOf(id: EndpointId | string): string {
  const path = id.replace(/@[0-9a-f-]+$/, '');
  const mark = path.lastIndexOf('#');
  return mark > 0 && parseServiceAddress(path.slice(mark + 1)) !== undefined ? path.slice(0, mark) : path;
}

export type DrainTarget =
  | { readonly kind: 'path'; readonly path: string }
  /** `single`: more than one match is a mistake. */
  | { readonly kind: 'search'; readonly single: boolean; matches(endpoint: Endpoint): boolean };

/** The node whose children are a channel's endpoints. */
export type FolderOf = (channel: string) => string;

/**
 * A path as `weir channels` and `weir register` print it; `CHANNEL/NAME`; an address, which means every endpoint of
 * that server, or with a path of its own every endpoint with that address; else the name of one endpoint.
 *
 * @param folderOf undefined: several trees may have them
 */
export function parseDrainTarget(text: string, folderOf: FolderOf | undefined): DrainTarget {
  const api = /\/api\/v1\/channels\/([^/]+)\/endpoints\/([^/]+)$/.exec(text);
  if (api !== null) return named(decoded(api[1]), decoded(api[2]), folderOf);
  if (text.startsWith('/')) return { kind: 'path', path: pathOf(text) };
  const address = parseServiceAddress(text);
  if (address !== undefined) {
    const hasPath = /^https?:\/\/[^/]+\/./.test(text);
    if (hasPath) return { kind: 'search', single: false, matches: (endpoint) => endpoint.address === address };
    const server = serverOf(address);
    const isAnyScheme = !text.includes('://');
    const plain = (of: string) => (isAnyScheme ? of.replace(/^https:/, 'http:') : of);
    return { kind: 'search', single: false, matches: (endpoint) => plain(serverOf(endpoint.address)) === server };
  }
  const slash = text.indexOf('/');
  if (slash > 0) return named(text.slice(0, slash), pathOf(text.slice(slash + 1)), folderOf);
  return { kind: 'search', single: true, matches: ({ id }) => pathOf(id).endsWith(`/${pathOf(text)}`) };
}

function named(channel: string, name: string, folderOf: FolderOf | undefined): DrainTarget {
  if (folderOf !== undefined) return { kind: 'path', path: `${folderOf(channel)}/${name}` };
  const matches = (endpoint: Endpoint) => endpoint.channel === channel && pathOf(endpoint.id).endsWith(`/${name}`);
  return { kind: 'search', single: true, matches };
}

function decoded(segment = ''): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
