// Requests an object: from the endpoint that its pin names, or, without a pin, from any endpoint that has it.

import type { Pick } from '../../balancer/balancer.js';
import type { ServerOrigin } from '../../model.js';
import { serverOf } from '../../net-address.js';
import { attempt } from '../../upstream/attempts.js';
import type { OnRetry } from '../../upstream/trail.js';
import type { Load } from '../cache/load.js';
import type { OriginClient } from './origin-client.js';

/** Where an object may be; the pick is there when it is this request's own. */
export interface ObjectSource {
  readonly origin: OriginClient;
  readonly pick: Pick | undefined;
}

export interface ObjectRequest {
  readonly url: (origin: OriginClient) => URL;
  readonly range: string | undefined;
  /** ms */
  readonly firstByteTimeoutMs: number;
  /** Further places tried before the first byte. */
  readonly retries: number;
  readonly onRetry: OnRetry;
}

/**
 * The load of one object.
 *
 * @param next gives another place than those that failed; throws a WeirError when there is none
 */
export function createLoad(next: (failed: readonly ServerOrigin[]) => ObjectSource, request: ObjectRequest): Load {
  const { url, range, firstByteTimeoutMs, retries, onRetry } = request;
  return (conditions, handler) => {
    const headers = range === undefined ? conditions : { ...conditions, range };
    const place = (failed: readonly ServerOrigin[]) => {
      const { origin, pick } = next(failed);
      return {
        server: serverOf(origin.address),
        pick,
        send: (inner: typeof handler) => origin.send(url(origin), headers, inner, { firstByteTimeoutMs }),
      };
    };
    return attempt({ next: place, purpose: 'asked', retries, onRetry }, handler);
  };
}
