// How long a response may be used again: RFC 9111 for a shared cache, and stale-if-error of RFC 5861. Pure.

import type { IncomingHttpHeaders } from 'node:http';

export interface CachePolicy {
  /** False: it may be handed to those who asked together, and then has to be forgotten. */
  readonly storable: boolean;
  /** Milliseconds from now for which it needs no question back; Infinity when the origin sets no limit. */
  readonly freshFor: number;
  /** Milliseconds beyond `freshFor` for which it may stand in for an endpoint that fails. */
  readonly staleIfError: number;
}

/** On which terms an answer is kept. */
export interface Terms {
  /** listed: a playlist of this edge lists it. asked: only players named it. */
  readonly room: 'listed' | 'asked';
  /** ms for which it is fresh whatever its header says. */
  readonly atLeast: number;
  /** ms for which it is fresh at most. */
  readonly atMost: number;
}

/** Terms that the answer itself tells. */
export type TermsOf = (headers: IncomingHttpHeaders) => Terms;

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
 * @param staleBound milliseconds: the longest that stale-if-error may last here, and what holds when the origin is
 *   silent on it.
 */
export function cachePolicy(headers: IncomingHttpHeaders, now: number, staleBound: number): CachePolicy {
  const directives = parseCacheControl(headers['cache-control']);
  const never = directives.has('no-store') || directives.has('private') || headers.vary?.includes('*') === true;
  if (never) return { storable: false, freshFor: 0, staleIfError: 0 };
  const strict = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name));
  const told = seconds(directives.get('stale-if-error'));
  return {
    storable: true,
    freshFor: freshFor(headers, directives, now),
    staleIfError: strict ? 0 : Math.min(told ?? Number.POSITIVE_INFINITY, staleBound),
  };
}

export interface KeepingLimits {
  /** ms that a stored copy may stand in for an endpoint that fails, where its header does not say less. */
  readonly staleIfError: number;
  /** ms for which an answer that is none of what was wanted is used again at most. */
  readonly errorLifetime: number;
  /** Epoch ms, for dates in headers. */
  readonly clock: () => number;
}

/**
 * What holds for an answer that is kept on these terms: an error is soon asked for again, and stands in for nothing.
 */
export function keepingPolicy(
  status: number,
  headers: IncomingHttpHeaders,
  { atLeast, atMost }: Terms,
  { staleIfError, errorLifetime, clock }: KeepingLimits,
): CachePolicy {
  const policy = cachePolicy(headers, clock(), staleIfError);
  if (status === 200 || status === 206) {
    return { ...policy, freshFor: Math.max(Math.min(policy.freshFor, atMost), policy.storable ? atLeast : 0) };
  }
  return { storable: policy.storable, freshFor: Math.min(policy.freshFor, errorLifetime), staleIfError: 0 };
}

/**
 * Seconds since the origin made the answer or confirmed it, as far as it is known (RFC 9111, section 4.2.3).
 *
 * @param sinceAsked ms since it was asked for
 */
export function ageOf(headers: IncomingHttpHeaders | undefined, sinceAsked: number): number {
  const text = headers?.age;
  const told = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return told + Math.max(0, Math.floor(sinceAsked / 1000));
}

/** RFC 9111, section 4.2.1: s-maxage, then max-age, then Expires; less the age it already has. */
function freshFor(headers: IncomingHttpHeaders, directives: ReadonlyMap<string, string>, now: number): number {
  if (directives.has('no-cache')) return 0;
  if (directives.size === 0 && headers.pragma?.includes('no-cache')) return 0;
  const age = seconds(headers.age) ?? 0;
  for (const name of ['s-maxage', 'max-age']) {
    // A lifetime that cannot be read counts as none.
    if (directives.has(name)) return Math.max(0, (seconds(directives.get(name)) ?? 0) - age);
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
function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Math.min(Number(text), 2 ** 31) * 1000;
}
