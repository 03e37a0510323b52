// Which part answers which request: one table for players, one for other workers, one for other edges, side by side.
//
//                         a player asks                          another worker asks             another edge asks
//   .flv (GET)            the relay, or passed through           the relay, for what is ours     the relay, for what is ours and
//                                                                and not taken from a worker     comes from an origin; at another
//                                                                                                worker it is handed on from there
//   .flv (HEAD)           passed through                         as GET                          as GET
//   .flv as WebSocket     the relay, or passed through           refused                         refused
//   HLS                   our session, or the channel's owner    our session, for what is ours   refused
//
// Two peers may see ownership differently for a moment: then one of them refuses (`not_owner`), and the other asks again.

import { WeirError } from '../errors.js';
import type { ChannelName, PeerKind } from '../model.js';
import type { Relays } from '../relay/index.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { edgeField } from './fields.js';
import { type PassthroughTools, passThrough } from './passthrough.js';
import { relayHttp } from './relayed.js';
import { createWebSocketServer, relayWebSocket } from './relayed-websocket.js';
import type { Route } from './route.js';
import type { RequestHandlers, RouteHandler } from './server.js';
import { passWebSocket, refuseUpgrade, type WebSocketTools } from './websocket.js';

/** Which channels are ours. */
export interface Ownership {
  /** What kind of peer has the channel for whoever asks now; undefined: it is ours. */
  elsewhere(channel: ChannelName): PeerKind | undefined;
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
      else (ownership.elsewhere(route.channel) === 'worker' ? elsewhere : own).handle(exchange, route, response);
    },
    upgrade: (exchange, route, socket, head) => flv.upgrade(exchange, route, socket, head),
    holds: (channel) => relays.holds(channel) || own.holds(channel) || elsewhere.holds(channel),
  };
}

/** The handlers of other workers' requests: only channels that this worker owns. */
export function peerRoutes(ownership: Ownership, hls: Pick<HlsHandlers, 'forPeers'>, relays: Relays): RequestHandlers {
  const { forPeers } = hls;
  const isOurs = ({ request }: PlayerExchange, route: Route) => {
    if (route.kind !== 'flv') return ownership.elsewhere(route.channel) !== 'worker';
    if (!ownership.owns(route.channel)) return false;
    return request.headers[edgeField] === undefined
      ? relays.fromPeer(route) !== 'worker'
      : isForEdges(ownership, relays, route);
  };
  return {
    handle: (exchange, route, response) => {
      if (!isOurs(exchange, route)) answerError(exchange, response, new WeirError('not_owner'));
      else if (route.kind === 'flv') relayHttp(relays, exchange, route, response);
      else forPeers.handle(exchange, route, response);
    },
    upgrade: refusesUpgrade,
    holds: (channel) => relays.holds(channel) || forPeers.holds(channel),
  };
}

/**
 * The handlers of other edges' requests: only channels that this edge owns.
 *
 * @param fromWorker hands on what the worker that owns the channel answers
 */
export function edgeRoutes(ownership: Ownership, relays: Relays, fromWorker: RouteHandler): RequestHandlers {
  return {
    handle: (exchange, route, response) => {
      const isLeaving = exchange.edge.draining() || route.kind !== 'flv';
      if (!isLeaving && ownership.elsewhere(route.channel) === 'worker') fromWorker.handle(exchange, route, response);
      else if (!isLeaving && isForEdges(ownership, relays, route)) relayHttp(relays, exchange, route, response);
      else answerError(exchange, response, new WeirError('not_owner'));
    },
    upgrade: refusesUpgrade,
    holds: (channel) => relays.holds(channel),
  };
}

/** What comes from a peer goes to no edge: two that take a channel from each other would have none. */
function isForEdges(ownership: Ownership, relays: Relays, route: Route): boolean {
  return ownership.elsewhere(route.channel) === undefined && relays.fromPeer(route) === undefined;
}

const refusesUpgrade: RequestHandlers['upgrade'] = (exchange, _route, socket) =>
  refuseUpgrade(socket, exchange, new WeirError('bad_request'));
