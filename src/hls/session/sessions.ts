// HLS sessions: looked up by audience, capped, expired when idle.

import type { ChannelName } from '../../model.js';
import { ObjectCache } from '../cache/object-cache.js';
import type { Rendered } from '../presentation/rendered.js';
import { partitionOf } from '../url/cache-key.js';
import type { PinKeys } from '../url/pin.js';
import { pinKeys, signingKey } from '../url/pin-keys.js';
import { type Directives, parseQuery, playlistAsked } from '../url/player-query.js';
import { withPlayerQuery } from '../url/rewrite.js';
import { EndpointTags } from './endpoint-tags.js';
import { type ForeignObject, type ForeignRequest, foreignObject } from './foreign-object.js';
import { type SessionState, StateLog } from './handover.js';
import { type ObjectAnswer, openObject } from './object-answer.js';
import type { PlayerRequest, PlaylistAnswer } from './player-request.js';
import { answerableError } from './playlist-errors.js';
import type { PlaylistView } from './playlist-view.js';
import { Session } from './session.js';
import type { SessionContext } from './session-context.js';
import { type SessionName, sessionKey } from './session-name.js';
import { reportOf } from './session-report.js';
import { SessionRoom } from './session-room.js';

const sweepIntervalMs = 5_000;
/** ms without a request after which a session lets go of its endpoint. */
const releaseAfterMs = 30_000;

/** What is signed with may become the fleet's. */
type ChangingKeys = { -readonly [Name in keyof PinKeys]: PinKeys[Name] };

/** All HLS sessions of a process: answers what players ask of HLS. It has a timer and a subscription until `close`. */
export class HlsSessions {
  readonly context: SessionContext;
  readonly #room: SessionRoom<Session>;
  readonly #byChannel = new Map<ChannelName, Set<Session>>();
  readonly #tags: EndpointTags;
  readonly #keys: ChangingKeys;
  readonly #unkeyed: ReadonlySet<string>;
  /** Of another process, for players who have not come here yet. As many as the supervisor kept. */
  readonly #adopted = new Map<string, { readonly state: SessionState; readonly at: number }>();
  readonly #log = new StateLog();
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;

  /** `machineSecret` signs where the settings have no secret. */
  constructor({
    machineSecret,
    ...options
  }: Omit<SessionContext, 'cache' | 'keys' | 'tagOf'> & { readonly machineSecret: string }) {
    const { settings, now, clock, metrics, store } = options;
    const cache = new ObjectCache(
      {
        maxBytes: settings.cacheSize,
        maxObjectBytes: settings.maxObject,
        staleIfErrorMs: settings.staleIfError,
        errorLifetimeMs: settings.errorMaxAge,
      },
      {
        now,
        clock,
        receive: (bytes) => {
          metrics.traffic.received.hls += bytes;
        },
      },
    );
    const keys: ChangingKeys = pinKeys(settings.pinSecret, machineSecret);
    this.#keys = keys;
    this.#tags = new EndpointTags(keys);
    this.#unkeyed = new Set(settings.unkeyedParameters);
    this.context = { ...options, cache, keys, tagOf: (address) => this.#tags.of(address) };
    this.#room = new SessionRoom(settings, now, (session) => this.#ended(session));
    this.#timer = setInterval(() => this.#sweep(), sweepIntervalMs).unref();
    // A deleted endpoint is out at once: the next request of a player has to find another one.
    this.#unsubscribe = store.subscribe((_snapshot, change) => {
      for (const { channel, address } of change.drop) {
        this.#tags.forget(address);
        for (const session of this.#byChannel.get(channel) ?? []) session.expire();
      }
      // A new one is tried at once where there was none.
      for (const { channel } of change.put) {
        for (const session of this.#byChannel.get(channel) ?? []) {
          if (session.endpoint === undefined) session.expire();
        }
      }
    });
  }

  /**
   * The playlist that a player asks for: at once where it is here and fresh.
   *
   * @throws WeirError not_found, forbidden, upstream_status by what the origin says; no_endpoint when nothing can be
   *   served within `hls.grace`; sessions_full when there is no room for another session or playlist; bad_request for
   *   what is too far ahead
   */
  playlist(asked: PlayerRequest): PlaylistAnswer | Promise<PlaylistAnswer> {
    const query = parseQuery(asked.query);
    const { directives } = query;
    let { own } = query;
    let name = this.#nameOf(asked, own);
    let session = this.#find(name);
    let view = session?.playlists.find(asked.suffix, query.pin, query.originQuery);
    if (session === undefined || view === undefined) {
      const named = playlistAsked(query, asked.stem, asked.suffix, this.context.keys);
      if (named.own !== own) name = this.#nameOf(asked, named.own);
      own = named.own;
      session = this.#open(name, asked.client);
      view = session.playlists.open(named, asked.client);
    }
    if (!session.isShared && session.client !== asked.client) session.share();
    session.asked();
    return this.#ask(session, view, directives, own, asked.carried);
  }

  #ask(
    session: Session,
    view: PlaylistView,
    directives: Directives,
    own: string,
    carried: string,
  ): PlaylistAnswer | Promise<PlaylistAnswer> {
    try {
      const rendered = view.ask(directives, own);
      const query = own === '' || carried === '' ? own + carried : `${own}&${carried}`;
      if (!(rendered instanceof Promise)) return this.#answer(session, delta(view, rendered, directives), query, 'hit');
      return rendered.then(
        (late) => this.#answer(session, delta(view, late, directives), query, 'miss'),
        (error: unknown) => {
          throw answerableError(error);
        },
      );
    } catch (error) {
      throw answerableError(error);
    }
  }

  /** @param query what this player's URIs have besides */
  #answer(session: Session, rendered: Rendered, query: string, lookup: PlaylistAnswer['lookup']): PlaylistAnswer {
    const { kind, etag, at } = rendered;
    const body = query === '' ? rendered.body : Buffer.from(withPlayerQuery(rendered.text, query));
    return { lookup, kind, body, etag, ageMs: this.context.now() - at, endpoint: session.endpoint?.address };
  }

  /**
   * The object that a player asks for, asked for at an endpoint when it is neither here nor on its way.
   *
   * @throws WeirError bad_request for a path that leads elsewhere
   */
  object(asked: PlayerRequest): ObjectAnswer {
    const query = parseQuery(asked.query);
    const name = this.#nameOf(asked, query.own);
    const session = this.#find(name) ?? new Session(name, this.context);
    session.used();
    return openObject(session, this.context, asked, query);
  }

  /** The object that a player asks for while another worker owns the channel. */
  foreignObject(asked: ForeignRequest): ForeignObject {
    return foreignObject(asked, this.#unkeyed, this.context.keys);
  }

  #nameOf({ channel, stem, authorization }: PlayerRequest, own: string): SessionName {
    return { channel, stem, query: own, authorization, partition: partitionOf(own, this.#unkeyed, authorization) };
  }

  /** The session of those players, made when there is none. */
  #open(name: SessionName, client: string): Session {
    const known = this.#find(name);
    if (known !== undefined) return known;
    const key = sessionKey(name);
    const session = new Session(name, this.context, { key, client, room: this.#room });
    const adopted = this.#adopted.get(key);
    if (adopted !== undefined) {
      this.#adopted.delete(key);
      session.restore(adopted.state);
    }
    this.#admit(session);
    const others = this.#byChannel.get(name.channel);
    if (others === undefined) this.#byChannel.set(name.channel, new Set([session]));
    else others.add(session);
    return session;
  }

  #admit(session: Session): void {
    try {
      this.#room.admit(session);
    } catch (error) {
      this.context.metrics.hlsRefusals.inc();
      throw error;
    }
  }

  #find(name: SessionName): Session | undefined {
    return this.#room.find(sessionKey(name));
  }

  /** The states that another process would need to go on, as far as they were not reported yet. */
  newStates(): SessionState[] {
    return this.#log.due([...this.#room.watched()], this.context.now());
  }

  /** Sessions of channels that are this process's now: each goes on when its first player comes. */
  adopt(states: readonly SessionState[]): void {
    const at = this.context.now();
    for (const state of states) {
      if (this.#room.find(state.key) === undefined) this.#adopted.set(state.key, { state, at });
    }
  }

  /** Signs with this secret of the fleet from now on, unless the settings have one. What was signed before still holds. */
  signWith(secret: string): void {
    if (this.context.settings.pinSecret !== undefined) return;
    const signing = signingKey(secret);
    // A worker that missed something is told everything anew.
    if (signing.equals(Buffer.from(this.#keys.signing))) return;
    this.#keys.former = this.#keys.signing;
    this.#keys.signing = signing;
  }

  /** Another process has these channels now, and their sessions. */
  release(isGone: (channel: ChannelName) => boolean): void {
    for (const session of [...this.#room]) if (isGone(session.channel)) this.#room.end(session);
    for (const [key, { state }] of this.#adopted) if (isGone(state.channel)) this.#adopted.delete(key);
  }

  /** True while players of a channel that is out of the registry can still be served. */
  holds(channel: ChannelName): boolean {
    const sessions = this.#byChannel.get(channel);
    if (sessions === undefined) return false;
    for (const session of sessions) if (session.servesStale) return true;
    return false;
  }

  /** For `/api/v1/hls`. */
  describe() {
    const { now, cache } = this.context;
    return {
      sessions: [...this.#room].map((session) => reportOf(session, now())),
      cache: { objects: cache.objects, bytes: cache.bytes },
    };
  }

  /** Brings the gauges up to date. */
  collect(): void {
    const { metrics, cache } = this.context;
    metrics.hlsSessions.set(this.#room.size);
    metrics.hlsSessionBytes.set(this.#room.bytes);
    metrics.hlsCacheBytes.set(cache.bytes);
    metrics.hlsCacheObjects.set(cache.objects);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
    for (const session of [...this.#room]) this.#room.end(session);
  }

  #sweep(): void {
    const now = this.context.now();
    for (const session of [...this.#room]) {
      const idle = now - session.usedAt;
      if (idle >= (session.isProven ? this.context.settings.sessionIdle : releaseAfterMs)) this.#room.end(session);
      else if (idle >= releaseAfterMs) session.choice.release();
    }
    for (const [key, { at }] of this.#adopted) {
      if (now - at >= this.context.settings.sessionIdle) this.#adopted.delete(key);
    }
  }

  #ended(session: Session): void {
    session.close();
    const others = this.#byChannel.get(session.channel);
    others?.delete(session);
    if (others?.size === 0) this.#byChannel.delete(session.channel);
  }
}

export type HlsReport = ReturnType<HlsSessions['describe']>;

function delta(view: PlaylistView, rendered: Rendered, { skip }: Directives): Rendered {
  return skip ? view.skipping(rendered) : rendered;
}
