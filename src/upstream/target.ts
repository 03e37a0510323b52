// Pure: where a player's request goes at an endpoint.

import type { ServerOrigin, ServiceAddress } from '../model.js';
import { serverOf } from '../net-address.js';

/** The part of a player's URL that matters upstream. `path` and `suffix` are percent-encoded as the player sent them. */
export interface ChannelPath {
  /** Decoded. */
  readonly channel: string;
  /** The whole path: stem and suffix. */
  readonly path: string;
  /** What follows the stem: `.flv`, `/7.ts`, `-12.ts`. */
  readonly suffix: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

export interface UpstreamTarget {
  readonly server: ServerOrigin;
  /** Path and query. */
  readonly path: string;
}

/**
 * An address without a path gets the player's path; a path replaces the stem; a template's `{channel}` and `{rest}` are
 * filled in. The player's query follows, joined with `&` where the address has a query of its own.
 */
export function upstreamTarget(address: ServiceAddress, request: ChannelPath): UpstreamTarget {
  const base = basePath(address);
  return { server: serverOf(address), path: appendQuery(fill(base, request), request.query) };
}

/** Whether requests to this address keep the player's path: its first part matters only then. */
export function keepsPath(address: ServiceAddress): boolean {
  const base = basePath(address);
  return base === '' || base === '/';
}

function basePath(address: string): string {
  const afterScheme = address.includes('://') ? address.indexOf('://') + 3 : 0;
  const at = address.slice(afterScheme).search(/[/?]/);
  return at < 0 ? '' : address.slice(afterScheme + at);
}

function fill(base: string, request: ChannelPath): string {
  if (base === '' || base === '/') return request.path;
  if (base.includes('{channel}') || base.includes('{rest}')) {
    const filled = base
      .replaceAll('{channel}', () => encodeURIComponent(request.channel))
      .replaceAll('{rest}', () => request.suffix);
    return filled.replace(/^\/{2,}/, '/');
  }
  return base.replace(/\/$/, '') + request.suffix;
}

function appendQuery(path: string, query: string): string {
  if (query === '' || query === '?') return path;
  return path.includes('?') ? `${path}&${query.slice(1)}` : path + query;
}
