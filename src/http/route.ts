// Pure: the route of a player's request target: channel, kind, and what follows the stem.

import type { ErrorCode } from '../errors.js';
import type { ChannelName } from '../model.js';
import { canonicalPath, isSafePath } from '../upstream/path.js';

/** `flv`: a live stream, the channel's own (`.flv`) or a rendition (`_720p.flv`). */
export type RouteKind = 'flv' | 'playlist' | 'object';

export interface Route {
  readonly kind: RouteKind;
  readonly channel: ChannelName;
  /** Percent-encoded, as the player sent it. */
  readonly path: string;
  /** What follows the stem `/<app>/<channel>`, percent-encoded. */
  readonly suffix: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

/** Longest name of a channel in percent-encoded bytes; bounds the work that a hostile path can cause. */
const maxNameBytes = 1024;

/**
 * `/<app>/<channel>.flv`, `/<app>/<channel>_720p.flv`, `/<app>/<channel>.m3u8`, `/<app>/<channel>/…`, and names beside the playlist: the longest known
 * channel that is followed by one of `-_./`. Returns an error code for anything else. The target is in origin-form or
 * absolute-form (RFC 9112, section 3.2); dot segments and hidden separators are refused, not resolved.
 */
export function parseRoute(target: string, isKnown: (name: ChannelName) => boolean): Route | ErrorCode {
  const originForm = target.startsWith('/') ? target : stripAuthority(target);
  if (originForm === undefined) return 'bad_request';
  const queryAt = originForm.indexOf('?');
  const path = queryAt < 0 ? originForm : originForm.slice(0, queryAt);
  const query = queryAt < 0 ? '' : originForm.slice(queryAt);
  if (!isSafePath(path) || /[^\x21-\x7e]|#/.test(query)) return 'bad_request';

  const appEnd = path.indexOf('/', 1);
  if (appEnd <= 1 || appEnd === path.length - 1) return 'not_found';
  const afterApp = path.slice(appEnd + 1);
  const found = findChannel(afterApp, isKnown);
  if (found === undefined) return 'unknown_channel';
  const suffix = afterApp.slice(found.length);
  // An endpoint's address may put it behind a slash of its own.
  if (/^(?:\.|%2e){1,2}(?:\/|$)/i.test(suffix)) return 'bad_request';
  return { kind: kindOf(suffix), channel: found.name, path, suffix, query };
}

function kindOf(suffix: string): RouteKind {
  const ending = /\.(flv|m3u8?)$/i.exec(canonicalPath(suffix))?.[1]?.toLowerCase();
  return ending === undefined ? 'object' : ending === 'flv' ? 'flv' : 'playlist';
}

function stripAuthority(target: string): string | undefined {
  const match = /^https?:\/\/[^/?#]+([/?].*)?$/i.exec(target);
  if (!match) return undefined;
  const rest = match[1] ?? '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function findChannel(afterApp: string, isKnown: (name: ChannelName) => boolean) {
  const slash = afterApp.indexOf('/');
  const end = Math.min(slash < 0 ? afterApp.length - 1 : slash, maxNameBytes);
  for (let length = end; length > 0; length--) {
    const next = afterApp.charCodeAt(length);
    // One of / . - _
    if (next !== 47 && next !== 46 && next !== 45 && next !== 95) continue;
    const name = decode(afterApp.slice(0, length));
    if (name !== undefined && isKnown(name)) return { name, length };
  }
  return undefined;
}

function decode(text: string): ChannelName | undefined {
  if (!text.includes('%')) return text as ChannelName;
  try {
    return decodeURIComponent(text) as ChannelName;
  } catch {
    return undefined;
  }
}

/** The same route in its canonical spelling, so that nothing is kept by path twice. */
export function canonicalRoute(route: Route): Route {
  if (!route.path.includes('%')) return route;
  return { ...route, path: canonicalPath(route.path), suffix: canonicalPath(route.suffix) };
}
