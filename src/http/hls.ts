// Answers HLS requests from sessions and the cache.

import type { ServerResponse } from 'node:http';
import { toWeirError, WeirError } from '../errors.js';
import type { Lookup, OpenOptions } from '../hls/cache.js';
import type { CachedObject } from '../hls/cached-object.js';
import { placeOf } from '../hls/listed.js';
import { withPlayerQuery } from '../hls/locate.js';
import type { Pin } from '../hls/pin.js';
import { StatusError } from '../hls/playlist-loader.js';
import type { PlaylistView } from '../hls/playlist-view.js';
import type { Rendered } from '../hls/rendered.js';

import {
  type Directives,
  type PlayerQuery,
  parseQuery,
  partitionOf,
  playlistAsked,
  readPin,
  targetOf,
} from '../hls/request.js';
import { isNotModified } from '../hls/respond.js';
import { Session } from '../hls/session.js';
import type { SessionName } from '../hls/session-name.js';
import type { HlsSessions } from '../hls/sessions.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { commonFields } from './fields.js';
import { clientOf } from './hls-client.js';
import { ObjectReply } from './object-reply.js';
import { canonicalRoute, type Route } from './route.js';

interface PlaylistWanted {
  readonly session: Session;
  readonly view: PlaylistView;
  readonly directives: Directives;
  readonly own: string;
}

interface ObjectAsked {
  readonly key: string;
  readonly target: string;
  readonly range: string | undefined;
  /** The queries to try, the first one first. */
  readonly queries: readonly string[];
  /** The player's Range selects from it. */
  readonly selects: boolean;
  readonly options: OpenOptions;
}

/** ms for which an object without an endpoint in its URL is used again: another one may be meant the next time. */
export const unpinnedMaxAge = 1_000;

export class HlsHandler {
  readonly #sessions: HlsSessions;
  readonly #unkeyed: ReadonlySet<string>;

  constructor(sessions: HlsSessions) {
    this.#sessions = sessions;
    this.#unkeyed = new Set(sessions.context.settings.unkeyedParameters);
  }

  /** Answers one GET or HEAD. Never throws. */
  handle(exchange: PlayerExchange, given: Route, response: ServerResponse): void {
    try {
      const route = canonicalRoute(given);
      const query = parseQuery(route.query);
      if (route.kind === 'playlist') this.#playlist(exchange, route, query, response);
      else this.#object(exchange, route, query, response);
    } catch (error) {
      this.#fail(exchange, response, error);
    }
  }

  #nameOf(exchange: PlayerExchange, { channel, path, rest }: Route, own: string): SessionName {
    const { authorization } = exchange.request.headers;
    const stem = path.slice(0, path.length - rest.length);
    return { channel, stem, query: own, authorization, partition: partitionOf(own, this.#unkeyed, authorization) };
  }

  #playlist(exchange: PlayerExchange, route: Route, query: PlayerQuery, response: ServerResponse): void {
    const { context } = this.#sessions;
    let name = this.#nameOf(exchange, route, query.own);
    let session = this.#sessions.find(name);
    let view = session?.playlists.find(route.rest, query.pin, query.origins);
    let { own } = query;
    if (session === undefined || view === undefined) {
      const asked = playlistAsked(query, name.stem, route.rest, context.keys);
      if (asked.own !== own) name = this.#nameOf(exchange, route, asked.own);
      own = asked.own;
      const client = clientOf(exchange);
      session = this.#sessions.open(name, client);
      view = session.playlists.open(asked, client);
    }
    if (!session.isShared && session.client !== clientOf(exchange)) session.share();
    session.asked();
    this.#answer(exchange, response, { session, view, directives: query.directives, own });
  }

  #answer(
    exchange: PlayerExchange,
    response: ServerResponse,
    { session, view, directives, own }: PlaylistWanted,
  ): void {
    const send = (rendered: Rendered, result: Lookup) => {
      exchange.endpoint = session.endpoint?.address;
      const wanted = directives.skip ? view.skipping(rendered) : rendered;
      this.#sendPlaylist(exchange, response, wanted, own, result);
    };
    const answer = view.ask(directives, own);
    if (!(answer instanceof Promise)) return send(answer, 'hit');
    answer
      .then((rendered) => {
        if (!response.destroyed) send(rendered, 'miss');
      })
      .catch((error: unknown) => this.#fail(exchange, response, error))
      // Not even an error can be said: the player's connection ends, and nothing else.
      .catch(() => response.destroy());
  }

  #fail(exchange: PlayerExchange, response: ServerResponse, thrown: unknown): void {
    const error = errorFor(thrown);
    if (error.code === 'internal') exchange.edge.logger.error({ err: thrown }, 'an HLS request failed inside weir');
    answerError(exchange, response, error);
  }

  #sendPlaylist(
    exchange: PlayerExchange,
    response: ServerResponse,
    rendered: Rendered,
    own: string,
    result: Lookup,
  ): void {
    const { now } = this.#sessions.context;
    const { metrics } = exchange.edge;
    const body = own === '' ? rendered.body : Buffer.from(withPlayerQuery(rendered.text, own));
    metrics.hlsRequests.inc({ kind: 'playlist', result });
    if (rendered.kind === 'media') metrics.hlsPlaylistAge.observe((now() - rendered.at) / 1000);
    if (result === 'hit') metrics.hlsSavedBytes.inc(body.length);
    const fields = commonFields(exchange);
    fields.push('content-type', 'application/vnd.apple.mpegurl', 'cache-control', 'no-cache', 'etag', rendered.etag);
    if (isNotModified(exchange.request.headers, rendered)) {
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

  #object(exchange: PlayerExchange, route: Route, query: PlayerQuery, response: ServerResponse): void {
    const { context } = this.#sessions;
    const name = this.#nameOf(exchange, route, query.own);
    const session = this.#sessions.find(name) ?? new Session(name, context);
    session.used();
    const pin = readPin(query.pin, context.keys);
    const range = pin?.ranged === true ? exchange.request.headers.range : undefined;
    const target = targetOf(route.path, query.pin, query.origins);
    const pinned = pin === undefined ? undefined : session.choice.endpointOf(pin.endpoint);
    exchange.endpoint = (pin === undefined ? session.endpoint : pinned)?.address;
    const listed = session.objects.findListed(placeOf(target, range), pinned !== undefined);
    const place = listed === undefined ? this.#unlisted(session, route, query, pin, range) : { ...listed, target };
    const queries = session.tokens.kind === 'lent' ? [...new Set([session.tokens.query, query.own])] : [query.own];
    this.#sendObject(exchange, response, session, { ...place, range, queries, selects: range === undefined });
  }

  /** Only the player says that there is such an object. */
  #unlisted(
    session: Session,
    { path }: Route,
    { pin: text, origins }: PlayerQuery,
    pin: Pin | undefined,
    range: string | undefined,
  ): Pick<ObjectAsked, 'key' | 'target' | 'options'> {
    const { settings, metrics } = this.#sessions.context;
    const problem = text === '' ? undefined : pin === undefined ? 'unknown' : problemOf(pin, session);
    if (problem !== undefined) metrics.hlsPins.inc({ problem });
    const target = targetOf(path, problem === 'unknown' ? '' : text, origins);
    // The origin has one object of that name: what else a pin may say makes no second one.
    const { original = '', ranged = false } = pin ?? {};
    const at = pin === undefined || problem !== undefined ? 'anywhere' : `at ${pin.endpoint}`;
    const key = session.objects.keyOf(placeOf(`${path} ${at} ${original} ${ranged} ${origins}`, range));
    const atMost = at === 'anywhere' ? unpinnedMaxAge : settings.objectMaxAge;
    const atLeast = Math.min(settings.objectMinAge, atMost);
    return { key, target, options: { terms: { room: 'asked', atLeast, atMost } } };
  }

  #sendObject(exchange: PlayerExchange, response: ServerResponse, session: Session, what: ObjectAsked): void {
    const { cache } = this.#sessions.context;
    const { metrics } = exchange.edge;
    const { key, target, range, queries, options } = what;
    const { object, lookup } = cache.open(key, session.objects.loadWith(target, range, queries), options);
    metrics.hlsRequests.inc({ kind: 'object', result: lookup });
    const own = queries.at(-1) ?? '';
    const reply = new ObjectReply(object, exchange, response, {
      selects: what.selects,
      reused: lookup !== 'miss',
      passRange: () => {
        const { range: wanted } = exchange.request.headers;
        const partial = { ...what, key: `${key} ${wanted}`, range: wanted, selects: false };
        this.#sendObject(exchange, response, session, partial);
      },
      askAgain:
        lookup === 'joined' && session.tokens.kind === 'lent'
          ? () => this.#sendObject(exchange, response, session, { ...what, key: `${key} ${own}`, queries: [own] })
          : undefined,
      done: (finished, sent) => {
        if (lookup !== 'miss') metrics.hlsSavedBytes.inc(sent);
        else this.#judge(session, target, finished);
      },
    });
    reply.start();
  }

  /** What a playlist lists and its endpoint does not have is the endpoint's failure. */
  #judge(session: Session, target: string, { error, head }: CachedObject): void {
    const failure = error ?? head?.status ?? 0;
    if (typeof failure !== 'number' || failure >= 400) session.objectFailed(target, failure);
  }
}

function problemOf(pin: Pin, session: Session): 'dead' | undefined {
  return session.choice.endpointOf(pin.endpoint) === undefined ? 'dead' : undefined;
}

function errorFor(error: unknown): WeirError {
  if (!(error instanceof StatusError)) return toWeirError(error);
  if (error.status === 404 || error.status === 410) return new WeirError('not_found', { detail: error.message });
  if (error.status === 401 || error.status === 403) return new WeirError('forbidden', { detail: error.message });
  return new WeirError('upstream_status', { detail: error.message });
}
