// Fetches segments before players see them listed. A listed segment is then here even if its origin fails; and an origin
// that lists segments which it does not have is detected before a player asks.

import type { WeirError } from '../../errors.js';
import type { Follower } from './arriving-body.js';
import type { CachedObject } from './cached-object.js';
import type { Load } from './load.js';
import type { ObjectCache, OpenOptions } from './object-cache.js';

/**
 * late: not here within the time given; it goes on arriving. passed: not ours to keep. Otherwise the status that is
 * none of a good answer, or the error that ended the request.
 */
export type Arrival = 'here' | 'late' | 'passed' | { readonly failure: number | WeirError };

export interface PrefetchRequest {
  readonly key: string;
  readonly load: Load;
  readonly options: OpenOptions;
}

/** Resolves when the object is here, or with `late` after `patienceMs`; the fetch then goes on in the background. */
export function fetchAhead(cache: ObjectCache, wanted: PrefetchRequest, patienceMs: number): Promise<Arrival> {
  const { object } = cache.open(wanted.key, wanted.load, wanted.options);
  if (!object.pending) return Promise.resolve(arrivalOf(object));
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), patienceMs);
    const follower: Follower = {
      // Takes everything at once: it only waits, and not for what nobody keeps.
      get taken() {
        return object.keeps ? object.arrived : Number.POSITIVE_INFINITY;
      },
      drop: () => undefined,
      progress: () => {
        object.took();
        const passed = object.head !== undefined && !object.keeps;
        if (object.pending && !passed) return;
        clearTimeout(timer);
        resolve(passed ? 'passed' : arrivalOf(object));
        // An object that may not be kept is not worth fetching ahead.
        queueMicrotask(() => object.leave(follower));
      },
    };
    object.follow(follower);
  });
}

function arrivalOf(object: CachedObject): Arrival {
  if (object.error !== undefined) return { failure: object.error };
  const status = object.head?.status ?? 0;
  return status === 200 || status === 206 ? 'here' : { failure: status };
}

/** The bytes of an object, once they are here; undefined when that takes longer than `patienceMs` or fails. */
export async function bytesOf(
  cache: ObjectCache,
  wanted: PrefetchRequest,
  patienceMs: number,
): Promise<Buffer | undefined> {
  const arrival = await fetchAhead(cache, wanted, patienceMs);
  return arrival === 'here' ? cache.stored(wanted.key)?.body : undefined;
}
