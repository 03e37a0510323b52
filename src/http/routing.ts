// Which part answers which request: one table for players, one for the other workers, side by side.
//
//                         a player asks                          another worker asks
//   .flv (GET)            the relay, or passed through           the relay, for what is ours and not taken from a worker
//   .flv (HEAD)           passed through                         as GET
//   .flv as WebSocket     the relay, or passed through           refused
//   HLS                   our session, or the channel's owner    our session, for what is ours
//
// Two workers may see ownership differently for a moment: then one of them refuses (`not_owner`), and the other asks again.

import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';
import type { Relays } from '../relay/index.js';
import { answerError } from './exchange.js';
import { type PassthroughTools, passThrough } from './passthrough.js';
import { relayHttp } from './relayed.js';
import { createWebSocketServer, relayWebSocket } from './relayed-websocket.js';
import type { Route } from './route.js';
import type { RequestHandlers, RouteHandler } from './server.js';
import { passWebSocket, refuseUpgrade, type WebSocketTools } from './websocket.js';

/** Which channels are ours. */
export interface Ownership {
  /** True where another worker has the channel for whoever asks now. */
  isElsewhere(channel: ChannelName): boolean;
  /** True where no other worker is known to have the channel. A worker that drains owns what it has to the end. */
  owns(channel: ChannelName): boolean;
}

/** HLS, by who asks for whose channel. */
export interface HlsHandlers {
  /** Players, a channel that is ours. */
  readonly own: RouteHandler;
  /** Players, a channel that another worker has. */
  readonly elsewhere: RouteHandler;
  /** Other workers, a channel that is ours. */
  readonly forPeers: RouteHandler;
}

/** FLV for players. */
export type Flv = Pick<RequestHandlers, 'handle' | 'upgrade'>;

/** FLV from relays; HEAD requests are passed through. */
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

/** FLV passed through, each request to an endpoint of its own. */
export function passedFlv(webSocket: WebSocketTools, passedThrough: RouteHandler): Flv {
  return {
    handle: (exchange, route, response) => passedThrough.handle(exchange, route, response),
    upgrade: (exchange, route, socket, head) => passWebSocket(webSocket, exchange, route, socket, head),
  };
}

/** Asks an endpoint for each request. No player waits here for a channel that is gone. */
export function createPassthrough(tools: PassthroughTools): RouteHandler {
  return {
    handle: (exchange, route, response) => passThrough(tools, exchange, route, response),
    holds: () => false,
  };
}

/** The handlers of players' requests. */
export function playerRoutes(ownership: Ownership, flv: Flv, hls: HlsHandlers, relays: Relays): RequestHandlers {
  const { own, elsewhere } = hls;
  return {
    handle: (exchange, route, response) => {
      if (route.kind === 'flv') flv.handle(exchange, route, response);
      else (ownership.isElsewhere(route.channel) ? elsewhere : own).handle(exchange, route, response);
    },
    upgrade: (exchange, route, socket, head) => flv.upgrade(exchange, route, socket, head),
    holds: (channel) => relays.holds(channel) || own.holds(channel) || elsewhere.holds(channel),
  };
}

/** The handlers of other workers' requests: only channels that this worker owns. */
export function peerRoutes(ownership: Ownership, hls: Pick<HlsHandlers, 'forPeers'>, relays: Relays): RequestHandlers {
  const { forPeers } = hls;
  const isOurs = (route: Route) =>
    route.kind === 'flv'
      ? ownership.owns(route.channel) && !relays.isFromPeer(route)
      : !ownership.isElsewhere(route.channel);
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
