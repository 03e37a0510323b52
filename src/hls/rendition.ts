// One playlist of a session as players get it: for how long it is used, who waits for a new one, and what stands in when no
// endpoint answers.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { toWeirError, WeirError } from '../errors.js';
import { cachePolicy } from './cache-policy.js';
import { locate, withPlayerQuery } from './locate.js';
import { renderMaster } from './master.js';
import { type PlaylistRequest, RefusedError, StatusError } from './playlist-source.js';
import { advance } from './presentation.js';
import { renderWindow } from './render-window.js';
import type { Directives, PlaylistName } from './request.js';
import { mappingOf, playRound, type Round, type RoundSubject, stepOf } from './round.js';
import type { Session } from './session.js';
import { type RenditionState, shiftTimes } from './session-state.js';
import type { MediaWindow } from './window.js';

/** A playlist ready to be sent. */
export interface Rendered {
  readonly kind: 'media' | 'master';
  /** With marks where a player's own query goes. */
  readonly text: string;
  /** For players without a query of their own. */
  readonly body: Buffer;
  readonly etag: string;
  /** Monotonic ms at which the endpoint was asked. */
  readonly at: number;
}

/** ms between rounds while no endpoint answers. */
const retryInterval = 250;
/** ms that a request waits for a new playlist when there is an old one to give. */
const patience = 1_000;
/** Queries that are tried at once, where the one that worked last is refused. */
const mostQueries = 8;
/** Low-latency requests for different states under way at once, for one playlist. */
const mostBlocking = 8;

export class Rendition implements RoundSubject {
  readonly #name: PlaylistName;
  readonly #session: Session;
  #window: MediaWindow | undefined;
  #rendered: Rendered | undefined;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #failingSince: number | undefined;
  #endedSince: number | undefined;
  /** By the query that it is asked with. */
  readonly #refreshing = new Map<string, Promise<Rendered>>();
  /** What players hear while there is nothing to stand in. */
  #failure: StatusError | undefined;
  /** Requests that wait for the first playlist. */
  #held = 0;
  readonly #blocking = new Map<string, Promise<Rendered>>();

  constructor(session: Session, name: PlaylistName) {
    this.#session = session;
    this.#name = name;
  }

  get rest(): string {
    return this.#name.rest;
  }

  get window(): MediaWindow | undefined {
    return this.#window;
  }

  get known(): boolean {
    return this.#rendered !== undefined;
  }

  /** undefined for what is made anew at any time: a master playlist. @param shift from our times to those of the state */
  state(shift: number): RenditionState | undefined {
    if (this.#window === undefined) return undefined;
    const window = shiftTimes(this.#window, shift);
    return { ...this.#name, window };
  }

  /** Goes on with what players saw elsewhere. */
  restore(window: MediaWindow): void {
    this.#window = window;
    this.#rendered = render('media', renderWindow(window), this.#session.context.now());
    this.expire();
    this.#session.committed(this, this.#size());
  }

  /** Bytes in memory, about: the text, also as it is sent, and what entries are made of besides what stands in it. */
  #size(): number {
    return 4 * (this.#rendered?.text.length ?? 0) + 500 * (this.#window?.entries.length ?? 0);
  }

  /** There is a playlist to stand in while endpoints fail. */
  get servesStale(): boolean {
    const { now, settings } = this.#session.context;
    if (this.#rendered === undefined) return false;
    return this.#failingSince === undefined || now() - this.#failingSince < settings.grace;
  }

  /**
   * Whether this window lists that object among the newer ones of the endpoint with that tag. The oldest may be gone there
   * since the playlist was fetched.
   */
  lists(target: string, tag: string): boolean {
    const window = this.#window;
    if (window === undefined || window.source !== tag) return false;
    const { first, last } = window.origin;
    return window.entries.some(
      ({ target: own, origin }) => own === target && origin.source === tag && origin.sequence >= (first + last) / 2,
    );
  }

  expire(): void {
    this.#freshUntil = Number.NEGATIVE_INFINITY;
  }

  /**
   * The playlist: at once while it is fresh.
   *
   * @param own the player's own query
   * @throws StatusError when the origin has no such playlist, or refuses it to this player; WeirError when nothing can be served within `hls.grace`
   */
  ask(directives: Directives, own: string): Rendered | Promise<Rendered> {
    const { now } = this.#session.context;
    const rendered = this.#rendered;
    if (directives.sequence !== undefined && this.#window?.delivery.canBlock === true) {
      return this.#block(this.#window, directives.sequence, directives.part, own);
    }
    if (rendered !== undefined && now() < this.#freshUntil) {
      if (this.servesStale) return rendered;
      throw this.#failure ?? new WeirError('no_endpoint');
    }
    return this.#rendered === undefined ? this.#hold(own) : this.#orStale(this.#renew(own));
  }

  /** A new playlist, by the query that worked last; where that one is refused, by the player's own. */
  async #renew(own: string): Promise<Rendered> {
    const { query } = this.#session;
    try {
      return await this.#share(query);
    } catch (error) {
      if (own === query || !(error instanceof StatusError)) throw error;
      return await this.#share(own);
    }
  }

  /** Those who ask with the same query wait together. */
  #share(query: string): Promise<Rendered> {
    const underWay = this.#refreshing.get(query);
    if (underWay !== undefined) return underWay;
    if (this.#refreshing.size >= mostQueries) return Promise.reject(new WeirError('no_endpoint'));
    const refreshing = this.#refresh(query).finally(() => this.#refreshing.delete(query));
    this.#refreshing.set(query, refreshing);
    return refreshing;
  }

  /** A delta update, where the origin offers them and the player asks for one. */
  skipping(rendered: Rendered): string {
    const until = this.#window?.delivery.skipUntil;
    return this.#window === undefined || until === undefined ? rendered.text : renderWindow(this.#window, until);
  }

  /** The new playlist, or the old one when that takes long or fails within the grace. */
  async #orStale(fresh: Promise<Rendered>): Promise<Rendered> {
    const enough = new AbortController();
    const stale = sleep(patience, undefined, { signal: enough.signal, ref: false }).then(
      () => this.#rendered,
      () => undefined,
    );
    try {
      return (await Promise.race([fresh, stale])) ?? (await fresh);
    } catch (error) {
      if (isForAsker(error)) throw error;
      if (this.#rendered !== undefined && this.servesStale) return this.#rendered;
      throw this.#session.tokens === 'own' && error instanceof StatusError ? error : asUnavailable(error);
    } finally {
      enough.abort();
      // It may fail after we stopped waiting.
      fresh.catch(() => undefined);
    }
  }

  /** There is nothing to give yet: the request waits while endpoints fail, for as long as the grace. */
  async #hold(own: string): Promise<Rendered> {
    const { now, settings } = this.#session.context;
    const until = now() + settings.grace;
    this.#held += 1;
    try {
      return await this.#first(own, until);
    } finally {
      this.#held -= 1;
      if (!this.known && this.#held === 0) this.#session.forget(this);
    }
  }

  /** @param until monotonic ms after which nobody waits any more */
  async #first(own: string, until: number): Promise<Rendered> {
    const { now } = this.#session.context;
    for (;;) {
      try {
        return await this.#renew(own);
      } catch (error) {
        const hopeless = error instanceof StatusError || toWeirError(error).side !== 'upstream';
        if (hopeless || now() + retryInterval > until)
          throw error instanceof StatusError ? error : asUnavailable(error);
      }
      await sleep(retryInterval, undefined, { ref: false });
    }
  }

  async #refresh(query: string): Promise<Rendered> {
    const { now } = this.#session.context;
    const at = now();
    const request = (deadline: number) => this.#request(query, deadline);
    try {
      const rendered = this.#commit(await playRound(this.#session, this, request), at);
      this.#session.query = query;
      return rendered;
    } catch (error) {
      if (isForAsker(error)) throw error;
      this.#failingSince ??= now();
      this.#freshUntil = now() + retryInterval;
      this.#failure = this.#session.tokens === 'own' && error instanceof StatusError ? error : undefined;
      throw error;
    }
  }

  /** Low latency: the endpoint holds the request until it has what is asked for; those who ask for the same wait together. */
  #block(window: MediaWindow, sequence: number, part: number | undefined, own: string): Rendered | Promise<Rendered> {
    const last = window.entries.at(-1)?.sequence ?? 0;
    const parts = window.tailParts;
    const there = sequence <= last || (sequence === last + 1 && part !== undefined && part < parts);
    if (there && this.#rendered !== undefined) return this.#rendered;
    // RFC 8216bis, section 6.2.5.2.
    if (sequence > last + 2) throw new WeirError('bad_request', { detail: 'That segment is too far ahead.' });
    const key = `${sequence}.${part ?? ''}`;
    const underWay = this.#blocking.get(key);
    if (underWay !== undefined) return underWay;
    if (this.#blocking.size >= mostBlocking)
      return this.ask({ sequence: undefined, part: undefined, skip: false }, own);
    const wanted = sequence - window.offset;
    const query = part === undefined ? `_HLS_msn=${wanted}` : `_HLS_msn=${wanted}&_HLS_part=${part}`;
    const waiting = this.#await(query, own).finally(() => this.#blocking.delete(key));
    this.#blocking.set(key, waiting);
    return waiting;
  }

  async #await(query: string, own: string): Promise<Rendered> {
    const session = this.#session;
    const { now, settings } = session.context;
    const target = this.#window?.targetDuration ?? 1;
    const at = now();
    try {
      const attachment = session.choice.attach([]);
      const { moves } = session.choice;
      if (session.choice.current !== attachment) attachment.release('abandoned');
      else {
        const fetched = await attachment.source.fetch(
          this.#request(session.query, settings.stallFactor * target * 1000),
          query,
        );
        if (session.choice.moves === moves) {
          return this.#commit({ attachment, fetched, step: undefined, problem: undefined }, at);
        }
      }
    } catch {
      // A held request that ends badly says nothing; an ordinary one will.
    }
    this.expire();
    return this.ask({ sequence: undefined, part: undefined, skip: false }, own);
  }

  #request(own: string, deadline: number): PlaylistRequest {
    const { rest, origins, variant } = this.#name;
    return { rest, origins, variant, own, deadline };
  }

  #commit(round: Round, at: number): Rendered {
    const session = this.#session;
    const { attachment, fetched } = round;
    const { playlist, base } = fetched;
    const { settings, clock, now } = session.context;
    let text: string;
    let lifetime = settings.masterMaxAge;
    if (playlist.kind === 'master') {
      const mapping = mappingOf(session, attachment, this.rest, base, '');
      text = renderMaster(playlist, this.rest, (uri, kind) => locate(uri, mapping, kind));
    } else {
      if (!playlist.ended) this.#endedSince = undefined;
      else this.#endedSince ??= now();
      const allowEnd =
        this.#window === undefined || (this.#endedSince !== undefined && now() - this.#endedSince >= settings.grace);
      const step = round.step ?? stepOf(session, attachment, this.rest, fetched);
      const { epoch, window } = advance(session.epochAt(attachment), this.#window, playlist, { ...step, allowEnd });
      if (window === undefined)
        throw new WeirError('upstream_bad_response', { detail: 'The playlist lists no segment.' });
      session.epoch = epoch;
      this.#window = window;
      text = renderWindow(window);
      if (!window.ended) lifetime = Math.min(settings.playlistMaxAge, settings.playlistShare * liveInterval(window));
    }
    if (settings.respectCacheControl) {
      const policy = cachePolicy(fetched.headers, clock(), 0);
      lifetime = Math.min(lifetime, policy.storable ? policy.freshFor : 0);
    }
    this.#freshUntil = at + lifetime;
    this.#failingSince = undefined;
    const unchanged = this.#rendered?.text === text ? this.#rendered : undefined;
    this.#rendered = unchanged === undefined ? render(playlist.kind, text, at) : { ...unchanged, at };
    session.committed(this, this.#size());
    return this.#rendered;
  }
}

/** ms in which a live playlist usually changes. */
function liveInterval({ delivery, targetDuration }: MediaWindow): number {
  return 1000 * (delivery.partTarget ?? targetDuration);
}

function render(kind: Rendered['kind'], text: string, at: number): Rendered {
  const body = Buffer.from(withPlayerQuery(text, ''));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
  return { kind, text, body, etag, at };
}

/** It says nothing to anybody else: a token that has expired, a request that is malformed. */
function isForAsker(error: unknown): boolean {
  return error instanceof RefusedError || (error instanceof WeirError && error.side === 'client');
}

/** To a player it is all the same why there is nothing: it may try again. */
function asUnavailable(error: unknown): WeirError {
  if (error instanceof StatusError) return new WeirError('no_endpoint', { cause: error });
  const { code, side } = toWeirError(error);
  if (side === 'upstream' || code === 'no_endpoint') return new WeirError('no_endpoint', { cause: error });
  return toWeirError(error);
}
