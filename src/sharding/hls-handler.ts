// Answers HLS requests for channels of another worker. Each object is taken from the owner once and cached here too. A
// playlist is asked for again after a moment, so that players see the same on every worker.

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  createLentLoad,
  type HlsSessions,
  heldFactor,
  type KeepingTerms,
  type KeepingTermsOf,
  objectTerms,
} from '../hls/index.js';
import type { PlayerExchange } from '../http/exchange.js';
import { endpointField } from '../http/fields.js';
import { carriedBy, carriedField, clientField, clientOf } from '../http/hls-client.js';
import { listedField, ObjectReply } from '../http/object-reply.js';
import { canonicalRoute, type Route } from '../http/route.js';
import type { RouteHandler } from '../http/server.js';
import type { ChannelName, ServerOrigin } from '../model.js';
import type { UpstreamClient } from '../upstream/client.js';
import { createPeerLoad } from './object-loader.js';

export interface OwnersHlsTools {
  readonly sessions: HlsSessions;
  readonly client: UpstreamClient;
  /** The worker that owns the channel now, this one perhaps. */
  readonly ownerOf: (channel: ChannelName) => ServerOrigin | undefined;
}

interface WantedObject {
  readonly key: string;
  readonly range: string | undefined;
  /** The player's Range selects from the object. */
  readonly selects: boolean;
  readonly terms: KeepingTerms | KeepingTermsOf;
  /** Players share it though each lends a token of its own: a refusal concerns only one of them. */
  readonly lent: boolean;
}

/**
 * ms for which a playlist of the owner is served again. No player reloads so soon, so a player that asks the owner first and
 * this worker next never gets an older list.
 */
const playlistReuseMs = 100;

const maxRecent = 10_000;

/**
 * HLS for players whose channel another worker owns. Playlists are used again for 100 ms, objects as their owner says.
 */
export class OwnersHls implements RouteHandler {
  readonly #tools: OwnersHlsTools;
  /** When (monotonic ms) players last asked here, the least recent first. */
  readonly #recent = new Map<ChannelName, number>();

  constructor(tools: OwnersHlsTools) {
    this.#tools = tools;
  }

  /** True while a channel that left the registry may still be served by its owner. */
  holds(channel: ChannelName): boolean {
    const { now, settings } = this.#tools.sessions.context;
    const at = this.#recent.get(channel);
    return at !== undefined && now() - at < settings.grace;
  }

  /** Answers one GET or HEAD. Never throws. */
  handle(exchange: PlayerExchange, given: Route, response: ServerResponse): void {
    const route = canonicalRoute(given);
    this.#recent.delete(route.channel);
    this.#recent.set(route.channel, this.#tools.sessions.context.now());
    if (this.#recent.size > maxRecent) this.#recent.delete(this.#recent.keys().next().value ?? route.channel);
    exchange.endpoint = this.#tools.ownerOf(route.channel);
    this.#send(exchange, route, response, this.#wanted(exchange, route));
  }

  /** The key of a playlist. It differs from the keys of sessions, as the keys of objects do. */
  #wanted(exchange: PlayerExchange, route: Route): WantedObject {
    const { authorization, range } = exchange.request.headers;
    if (route.kind === 'playlist') {
      const whose = authorization === undefined ? '' : createHash('sha256').update(authorization).digest('base64url');
      const key = `~ ${whose} ${route.path}${route.query} ${carriedBy(exchange)}`;
      const terms = { room: 'asked', minFreshMs: playlistReuseMs, maxFreshMs: Number.POSITIVE_INFINITY } as const;
      return { key, range: undefined, selects: true, terms, lent: false };
    }
    const { path, query } = route;
    const { settings } = this.#tools.sessions.context;
    const object = this.#tools.sessions.foreignObject({ path, query, authorization, range });
    return {
      key: object.key,
      range: object.range,
      selects: object.range === undefined,
      // The owner knows what playlists list; of anything else it is asked again soon.
      terms: (headers) => objectTerms(headers[listedField] === undefined ? 'unpinned' : 'listed_elsewhere', settings),
      lent: object.isLent,
    };
  }

  #send(exchange: PlayerExchange, route: Route, response: ServerResponse, wanted: WantedObject): void {
    const { client, ownerOf, sessions } = this.#tools;
    const { cache, settings, firstByteTimeoutMs } = sessions.context;
    const { metrics } = exchange.edge;
    const { authorization } = exchange.request.headers;
    const headers: Record<string, string> = { accept: '*/*', 'x-request-id': exchange.hop.requestId };
    headers[clientField] = clientOf(exchange);
    const carried = route.kind === 'playlist' ? carriedBy(exchange) : '';
    if (carried !== '') headers[carriedField] = carried;
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (wanted.range !== undefined) headers['range'] = wanted.range;
    const load = createPeerLoad(client, {
      owner: () => ownerOf(route.channel),
      path: route.path + route.query,
      headers,
      // An owner holds a part as its origin does, and any request while its endpoints fail.
      firstByteTimeoutMs: heldFactor * firstByteTimeoutMs + settings.grace,
      patienceMs: firstByteTimeoutMs,
      onRetry: () => metrics.retries.inc({ cause: 'worker_lost' }),
    });
    const { object, lookup } = cache.open(wanted.key, wanted.lent ? createLentLoad([load]) : load, {
      terms: wanted.terms,
      receive: receivedFromPeer(exchange),
    });
    const kind = route.kind === 'playlist' ? 'playlist' : 'object';
    metrics.counts.hls[kind][lookup] += 1;
    const reply = new ObjectReply(object, exchange, response, {
      selects: wanted.selects,
      reused: lookup !== 'miss',
      passRange: () => {
        const { range } = exchange.request.headers;
        this.#send(exchange, route, response, { ...wanted, key: `${wanted.key} ${range}`, range, selects: false });
      },
      askAgain:
        lookup === 'joined' && wanted.lent
          ? () => this.#send(exchange, route, response, { ...wanted, key: `${wanted.key} ${route.query}` })
          : undefined,
      done: (finished, sent) => {
        const endpoint = finished.head?.headers[endpointField];
        if (typeof endpoint === 'string') exchange.endpoint = endpoint;
        if (lookup !== 'miss') metrics.counts.hlsSavedBytes += sent;
      },
    });
    reply.start();
  }
}

function receivedFromPeer({ edge }: PlayerExchange): (bytes: number) => void {
  return (bytes) => {
    edge.metrics.traffic.peers.worker += bytes;
  };
}
