// The endpoints of a channel as places for a player's request: as the balancer picks them, one after the other.

import type { Balancer, Pick } from '../balancer/balancer.js';
import type { ServerOrigin } from '../model.js';
import type { AttemptPlace } from '../upstream/attempts.js';
import type { UpstreamClient, UpstreamHandler, UpstreamRequest } from '../upstream/client.js';
import type { Purpose } from '../upstream/judge.js';
import { upstreamTarget } from '../upstream/target.js';
import type { Route } from './route.js';

export interface PickTools {
  readonly balancer: Balancer;
  readonly client: UpstreamClient;
}

export interface PickedRequest {
  readonly method: UpstreamRequest['method'];
  readonly headers: UpstreamRequest['headers'];
  /** Keep to the channel's endpoint (HLS). */
  readonly sticky: boolean;
  /** An endpoint was chosen; called again for every retry. */
  readonly onPick: (pick: Pick) => void;
}

/** Blocking playlist reloads: what a player waits for there is its own choice (RFC 8216bis, section 6.2.5.2). */
export function purposeOf({ query }: Route): Purpose {
  return query.includes('_HLS_msn=') ? 'held' : 'asked';
}

/** The next place for it; throws what `Balancer.pick` throws. */
export function pickedPlaces(
  { balancer, client }: PickTools,
  route: Route,
  { method, headers, sticky, onPick }: PickedRequest,
): (failed: readonly ServerOrigin[]) => AttemptPlace {
  return (failed) => {
    const pick = balancer.pick(route.channel, { sticky, exclude: failed });
    onPick(pick);
    const { server, path } = upstreamTarget(pick.endpoint.address, route);
    const send = (handler: UpstreamHandler) => client.send({ server, path, method, headers }, handler);
    return { server: pick.server, pick, send };
  };
}
