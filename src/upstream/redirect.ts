// Pure: which answers are redirects, and where they lead.

import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { parseServiceAddress, serverOf } from '../net-address.js';
import type { UpstreamTarget } from './target.js';

/** A redirect that is about to be followed. */
export interface Redirect {
  /** Who redirects. */
  readonly from: ServerOrigin;
  /** The header fields of its answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly to: UpstreamTarget;
}

/** In a row, at most. */
export const maxRedirects = 3;

/** RFC 9110, section 15.4: those that name another place for the same request. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a status names another place for the same request (RFC 9110, section 15.4). */
export function isRedirect(status: number): boolean {
  return redirects.has(status);
}

/**
 * Where `Location` leads from here.
 *
 * @throws WeirError upstream_redirect without a usable Location: none, several, another scheme than http and https, https
 *   left for http, credentials in it, or a host that no endpoint could register
 */
export function redirectTarget(location: string | string[] | undefined, from: UpstreamTarget): UpstreamTarget {
  if (typeof location !== 'string') throw refusal('without saying where to');
  const base = new URL(from.server);
  if (!URL.canParse(location, `${base.origin}${from.path}`)) throw refusal('to what is no URL');
  const url = new URL(location, `${base.origin}${from.path}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refusal('to another scheme');
  if (base.protocol === 'https:' && url.protocol === 'http:') throw refusal('from https to http');
  if (url.username !== '' || url.password !== '') throw refusal('to a URL with credentials');
  const path = url.pathname + url.search;
  // As it is written there, it may differ from how a URL writes it, and is another name for the connections.
  if (url.origin === base.origin) return { server: from.server, path };
  const address = parseServiceAddress(url.origin);
  if (address === undefined) throw refusal('to what is no host');
  return { server: serverOf(address), path };
}

function refusal(how: string): WeirError {
  return new WeirError('upstream_redirect', { detail: `The endpoint redirects ${how}.` });
}
