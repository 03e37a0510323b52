// The rules on who may play, for the listener: asked for every request of a player, before its channel is touched.

import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from '../access/access.js';
import { WeirError } from '../errors.js';
import type { PlayerExchange } from './exchange.js';
import { canonicalRoute, type Route } from './route.js';

/** A timer of Node takes no longer time, in ms. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * The route without the player's token, which the exchange then has.
 *
 * @param route or why there is none
 * @returns WeirError not_admitted for a player who may not play. That holds for channels that do not exist, too: strangers learn
 *   nothing of what there is
 */
export function admit(
  access: Access,
  exchange: PlayerExchange,
  route: Route | WeirError,
  target: string,
): Route | WeirError {
  if (!access.isInForce || exchange.edge.audience === 'peers') return route;
  if (route instanceof WeirError && route.code !== 'unknown_channel') return route;
  const who = { address: exchange.address, client: exchange.client ?? '' };
  const admission = access.admit(
    route instanceof WeirError ? { ...unknown(target), ...who } : { ...known(route), ...who },
  );
  if (typeof admission === 'string') {
    exchange.edge.metrics.accessRefusals.inc({ reason: admission });
    return new WeirError('not_admitted');
  }
  exchange.admission = admission;
  exchange.carried = admission.carried;
  return route instanceof WeirError ? route : { ...route, query: admission.query };
}

function known(route: Route) {
  const { path, suffix, channel, query } = canonicalRoute(route);
  return { path, stem: path.slice(0, path.length - suffix.length), channel, query };
}

/** The name that was meant may be that of an open channel. */
function unknown(target: string) {
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at)];
  const channel = /^\/[^/]+\/([^/]+)/.exec(path)?.[1]?.replace(/\.(?:flv|m3u8?)$/i, '');
  return { path, stem: undefined, channel, query };
}

/** Ends a stream when the right to it does. Requests for HLS are short: each is asked for anew. */
export function endWhenExpired(exchange: PlayerExchange, connection: Duplex, until: ServerResponse | Duplex): void {
  const { expiresAtMs } = exchange.admission ?? { expiresAtMs: Number.POSITIVE_INFINITY };
  if (expiresAtMs === Number.POSITIVE_INFINITY) return;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const restMs = expiresAtMs - Date.now();
    timer = setTimeout(() => (restMs > maxTimerMs ? wait() : connection.destroy()), Math.min(restMs, maxTimerMs));
  };
  wait();
  until.once('close', () => clearTimeout(timer));
}
