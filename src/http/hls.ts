// Answers HLS requests from sessions and the cache.

import type { ServerResponse } from 'node:http';
import { toWeirError } from '../errors.js';
import {
  type HlsSessions,
  isNotModified,
  type ObjectAnswer,
  type PlayerRequest,
  type PlaylistAnswer,
} from '../hls/index.js';
import type { ChannelName } from '../model.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { commonFields } from './fields.js';
import { carriedBy, clientOf } from './hls-client.js';
import { ObjectReply } from './object-reply.js';
import { canonicalRoute, type Route } from './route.js';
import type { RouteHandler } from './server.js';

/** HLS for players from sessions of this process. */
export class HlsHandler implements RouteHandler {
  readonly #sessions: HlsSessions;

  constructor(sessions: HlsSessions) {
    this.#sessions = sessions;
  }

  holds(channel: ChannelName): boolean {
    return this.#sessions.holds(channel);
  }

  handle(exchange: PlayerExchange, given: Route, response: ServerResponse): void {
    try {
      const asked = new AskedByExchange(exchange, canonicalRoute(given));
      if (given.kind !== 'playlist') return sendObject(exchange, response, this.#sessions.object(asked));
      const answer = this.#sessions.playlist(asked);
      if (!(answer instanceof Promise)) return sendPlaylist(exchange, response, answer);
      answer
        .then((late) => {
          if (!response.destroyed) sendPlaylist(exchange, response, late);
        })
        .catch((error: unknown) => fail(exchange, response, error))
        // Not even an error can be said: the player's connection ends, and nothing else.
        .catch(() => response.destroy());
    } catch (error) {
      fail(exchange, response, error);
    }
  }
}

/** What HLS needs to know of a player's request. */
class AskedByExchange implements PlayerRequest {
  readonly channel: ChannelName;
  readonly stem: string;
  readonly suffix: string;
  readonly query: string;
  readonly #exchange: PlayerExchange;

  constructor(exchange: PlayerExchange, { channel, path, suffix, query }: Route) {
    this.channel = channel;
    this.stem = path.slice(0, path.length - suffix.length);
    this.suffix = suffix;
    this.query = query;
    this.#exchange = exchange;
  }

  get carried(): string {
    return carriedBy(this.#exchange);
  }

  get authorization(): string | undefined {
    return this.#exchange.request.headers.authorization;
  }

  get range(): string | undefined {
    return this.#exchange.request.headers.range;
  }

  get client(): string {
    return clientOf(this.#exchange);
  }
}

function fail(exchange: PlayerExchange, response: ServerResponse, thrown: unknown): void {
  const error = toWeirError(thrown);
  if (error.code === 'internal') exchange.edge.logger.error({ err: thrown }, 'an HLS request failed inside weir');
  answerError(exchange, response, error);
}

function sendPlaylist(exchange: PlayerExchange, response: ServerResponse, answer: PlaylistAnswer): void {
  const { metrics } = exchange.edge;
  const { body, kind, lookup, etag, ageMs } = answer;
  exchange.endpoint = answer.endpoint;
  metrics.counts.hls.playlist[lookup] += 1;
  if (kind === 'media') metrics.hlsPlaylistAge.observe(ageMs / 1000);
  if (lookup === 'hit') metrics.counts.hlsSavedBytes += body.length;
  const fields = commonFields(exchange);
  fields.push('content-type', 'application/vnd.apple.mpegurl', 'cache-control', 'no-cache', 'etag', etag);
  if (isNotModified(exchange.request.headers, answer)) {
    exchange.started(304);
    response.writeHead(304, fields).end();
    return;
  }
  fields.push('content-length', String(body.length));
  exchange.started(200);
  response.writeHead(200, fields);
  if (exchange.request.method === 'HEAD') {
    response.end();
    return;
  }
  exchange.sent(body.length);
  response.end(body);
}

function sendObject(exchange: PlayerExchange, response: ServerResponse, answer: ObjectAnswer): void {
  const { metrics } = exchange.edge;
  const { object, lookup, selects } = answer;
  exchange.endpoint = answer.endpoint;
  metrics.counts.hls.object[lookup] += 1;
  const reply = new ObjectReply(object, exchange, response, {
    selects,
    reused: lookup !== 'miss',
    passRange: () => sendObject(exchange, response, answer.askRange(exchange.request.headers.range)),
    askAgain: answer.mayAskAgain ? () => sendObject(exchange, response, answer.askAgain()) : undefined,
    done: (_finished, sent) => {
      if (lookup !== 'miss') metrics.counts.hlsSavedBytes += sent;
      answer.ended();
    },
  });
  reply.start();
}
