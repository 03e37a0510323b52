// For how long an object is kept, by who named it and by what its answer says. Pure.

import type { IncomingHttpHeaders } from 'node:http';
import { type CachePolicy, cachePolicy } from '../../upstream/cache-policy.js';

/** On which terms an answer is kept. */
export interface KeepingTerms {
  /** listed: a playlist of this edge lists it. asked: only players named it. */
  readonly room: 'listed' | 'asked';
  /** ms for which it is fresh whatever its header says. */
  readonly minFreshMs: number;
  /** ms for which it is fresh at most. */
  readonly maxFreshMs: number;
}

/** Terms that the answer itself tells. */
export type KeepingTermsOf = (headers: IncomingHttpHeaders) => KeepingTerms;

/**
 * Who named an object: `listed`, a playlist of ours, so that one name means one object; `listed_elsewhere`, a playlist of the
 * worker that it was taken from; `pinned`, a player, and the endpoint with it; `unpinned`, a player alone.
 */
export type NamedBy = 'listed' | 'listed_elsewhere' | 'pinned' | 'unpinned';

/** ms for which an object without an endpoint in its URL is used again: the next request may mean another endpoint's. */
const unpinnedMaxAgeMs = 1_000;

const listedTerms: KeepingTerms = { room: 'listed', minFreshMs: 0, maxFreshMs: Number.POSITIVE_INFINITY };

/** On which terms an object is kept. @param settings in ms */
export function objectTerms(
  by: NamedBy,
  { objectMinAge, objectMaxAge }: { readonly objectMinAge: number; readonly objectMaxAge: number },
): KeepingTerms {
  if (by === 'listed') return listedTerms;
  // The owner asks for it again where that is needed.
  if (by === 'listed_elsewhere') return { room: 'listed', minFreshMs: objectMaxAge, maxFreshMs: objectMaxAge };
  const maxFreshMs = by === 'pinned' ? objectMaxAge : unpinnedMaxAgeMs;
  return { room: 'asked', minFreshMs: Math.min(objectMinAge, maxFreshMs), maxFreshMs };
}

export interface KeepingLimits {
  /** ms that a stored copy may stand in for an endpoint that fails, where its header does not say less. */
  readonly staleIfErrorMs: number;
  /** ms for which an answer that is none of what was wanted is used again at most. */
  readonly errorLifetimeMs: number;
  /** Epoch ms, for dates in headers. */
  readonly clock: () => number;
}

/**
 * The policy of an answer that is kept on these terms. An error is asked for again after `errorLifetimeMs`, and is never
 * served as stale.
 */
export function keepingPolicy(
  status: number,
  headers: IncomingHttpHeaders,
  { minFreshMs, maxFreshMs }: KeepingTerms,
  { staleIfErrorMs, errorLifetimeMs, clock }: KeepingLimits,
): CachePolicy {
  const policy = cachePolicy(headers, clock(), staleIfErrorMs);
  if (status === 200 || status === 206) {
    return {
      ...policy,
      freshForMs: Math.max(Math.min(policy.freshForMs, maxFreshMs), policy.storable ? minFreshMs : 0),
    };
  }
  return { storable: policy.storable, freshForMs: Math.min(policy.freshForMs, errorLifetimeMs), staleIfErrorMs: 0 };
}
