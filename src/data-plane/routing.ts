// Who answers which request: one table for players, one for the other workers, side by side.
//
//                         a player asks                          another worker asks
//   .flv (GET)            the relay, or passed through           the relay, for what is ours and not taken from a worker
//   .flv (HEAD)           passed through                         as GET
//   .flv as WebSocket     the relay, or passed through           refused
//   HLS                   our session, or the channel's owner    our session, for what is ours
//
// Two workers may see ownership differently for a moment: then one of them refuses (`not_owner`), and the other asks again.

import { WeirError } from '../errors.js';
import { answerError } from '../http/exchange.js';
import { type PassthroughTools, passThrough } from '../http/passthrough.js';
import { relayHttp } from '../http/relayed.js';
import { createWebSocketServer, relayWebSocket } from '../http/relayed-websocket.js';
import type { Route } from '../http/route.js';
import type { RequestHandlers, RouteHandler } from '../http/server.js';
import { passWebSocket, refuseUpgrade, type WebSocketTools } from '../http/websocket.js';
import type { Relays } from '../relay/index.js';
import type { Sharding } from '../sharding/sharding.js';
import type { Hls } from './hls.js';

/** FLV for players. */
export type Flv = Pick<RequestHandlers, 'handle' | 'upgrade'>;

export function relayedFlv(relays: Relays, passedThrough: RouteHandler): Flv {
  const webSockets = createWebSocketServer();
  return {
    handle: (exchange, route, response) => {
      if (exchange.request.method === 'GET') relayHttp(relays, exchange, route, response);
      else passedThrough.handle(exchange, route, response);
    },
    upgrade: (exchange, route, socket, head) => relayWebSocket({ relays, webSockets }, exchange, route, socket, head),
  };
}

export function passedFlv(webSocket: WebSocketTools, passedThrough: RouteHandler): Flv {
  return {
    handle: (exchange, route, response) => passedThrough.handle(exchange, route, response),
    upgrade: (exchange, route, socket, head) => passWebSocket(webSocket, exchange, route, socket, head),
  };
}

/** Asks an endpoint for each request. Nobody waits for a channel here that is gone. */
export function createPassthrough(tools: PassthroughTools): RouteHandler {
  return {
    handle: (exchange, route, response) => passThrough(tools, exchange, route, response),
    holds: () => false,
  };
}

export function playerRoutes(flv: Flv, hls: Hls, relays: Relays): RequestHandlers {
  const { forPlayers } = hls;
  return {
    handle: (exchange, route, response) => (route.kind === 'flv' ? flv : forPlayers).handle(exchange, route, response),
    upgrade: (exchange, route, socket, head) => flv.upgrade(exchange, route, socket, head),
    holds: (channel) => relays.holds(channel) || forPlayers.holds(channel),
  };
}

export function peerRoutes(sharding: Sharding, hls: Hls, relays: Relays): RequestHandlers {
  const { forPeers } = hls;
  const isOurs = (route: Route) =>
    route.kind === 'flv'
      ? sharding.owns(route.channel) && !relays.isFromPeer(route)
      : !sharding.isElsewhere(route.channel);
  return {
    handle: (exchange, route, response) => {
      if (!isOurs(route)) answerError(exchange, response, new WeirError('not_owner'));
      else if (route.kind === 'flv') relayHttp(relays, exchange, route, response);
      else forPeers.handle(exchange, route, response);
    },
    upgrade: (exchange, _route, socket) => refuseUpgrade(socket, exchange, new WeirError('bad_request')),
    holds: (channel) => relays.holds(channel) || forPeers.holds(channel),
  };
}
