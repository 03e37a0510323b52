// What the header of an answer says of using it again: RFC 9111 for a shared cache, and stale-if-error of RFC 5861. Pure.

import type { IncomingHttpHeaders } from 'node:http';

export interface CachePolicy {
  /** False: it may be handed to those who asked together, and then has to be forgotten. */
  readonly storable: boolean;
  /** Milliseconds from now for which it needs no question back; Infinity when the origin sets no limit. */
  readonly freshForMs: number;
  /** Milliseconds beyond `freshForMs` for which it may stand in for an endpoint that fails. */
  readonly staleIfErrorMs: number;
}

/** Directives by name in lower case; those without an argument have the argument ''. */
export function parseCacheControl(value: string | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const match of (value ?? '').matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;]+)))?/g)) {
    const name = (match[1] ?? '').toLowerCase();
    if (!directives.has(name)) directives.set(name, match[2] ?? match[3] ?? '');
  }
  return directives;
}

/**
 * What a response's header allows.
 *
 * @param now epoch ms, against which `Expires` is read when there is no `Date`.
 * @param maxStaleMs the longest that stale-if-error may last here, and its value when the origin does not say
 */
export function cachePolicy(headers: IncomingHttpHeaders, now: number, maxStaleMs: number): CachePolicy {
  const directives = parseCacheControl(headers['cache-control']);
  const never = directives.has('no-store') || directives.has('private') || headers.vary?.includes('*') === true;
  if (never) return { storable: false, freshForMs: 0, staleIfErrorMs: 0 };
  const strict = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name));
  const declared = msOfSeconds(directives.get('stale-if-error'));
  return {
    storable: true,
    freshForMs: freshForMs(headers, directives, now),
    staleIfErrorMs: strict ? 0 : Math.min(declared ?? Number.POSITIVE_INFINITY, maxStaleMs),
  };
}

/**
 * Seconds since the origin made the answer or confirmed it, as far as it is known (RFC 9111, section 4.2.3).
 *
 * @param sinceAskedMs since it was asked for
 */
export function ageSecondsOf(headers: IncomingHttpHeaders | undefined, sinceAskedMs: number): number {
  const text = headers?.age;
  const declared = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return declared + Math.max(0, Math.floor(sinceAskedMs / 1000));
}

/** RFC 9111, section 4.2.1: s-maxage, then max-age, then Expires; less the age it already has. */
function freshForMs(headers: IncomingHttpHeaders, directives: ReadonlyMap<string, string>, now: number): number {
  if (directives.has('no-cache')) return 0;
  if (directives.size === 0 && headers.pragma?.includes('no-cache')) return 0;
  const age = msOfSeconds(headers.age) ?? 0;
  for (const name of ['s-maxage', 'max-age']) {
    // A lifetime that cannot be read counts as none.
    if (directives.has(name)) return Math.max(0, (msOfSeconds(directives.get(name)) ?? 0) - age);
  }
  if (headers.expires === undefined) return Number.POSITIVE_INFINITY;
  const expires = Date.parse(headers.expires);
  const date = headers.date === undefined ? Number.NaN : Date.parse(headers.date);
  if (!Number.isFinite(expires)) return 0;
  return Math.max(0, expires - (Number.isFinite(date) ? date : now) - age);
}

/**
 * Delta-seconds as milliseconds; undefined when it is none. Beyond 2^31 seconds counts as that (RFC 9111, section
 * 1.2.2).
 */
function msOfSeconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Math.min(Number(text), 2 ** 31) * 1000;
}
