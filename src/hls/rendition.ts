// One playlist of a session as players get it: for how long it is used, who waits for a new one, and what stands in when no
// endpoint answers.

import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toWeirError, WeirError } from '../errors.js';
import { BlockingReloads, type Reloaded } from './blocking-reload.js';
import { cachePolicy } from './cache-policy.js';
import { asUnavailable, isExpected, isForAsker } from './playlist-errors.js';
import { type PlaylistRequest, StatusError } from './playlist-source.js';
import { Presented } from './presented.js';
import { restAfter } from './reading-cost.js';
import type { Rendered } from './rendered.js';
import type { Directives, PlaylistName } from './request.js';
import { playRound, type Round, type RoundSubject } from './round.js';
import type { Session } from './session.js';
import { type RenditionState, shiftTimes } from './session-state.js';
import type { MediaWindow } from './window.js';

/** ms between rounds while no endpoint answers. */
const retryInterval = 250;
/** ms that a request waits for a new playlist when there is an old one to give. */
const patience = 1_000;
/** Queries that are tried at once, where the one that worked last is refused. */
const mostQueries = 8;
/** ms for which an endpoint may hold a request, whatever target duration it tells. */
const longestHeld = 60_000;

export class Rendition implements RoundSubject {
  readonly #name: PlaylistName;
  readonly #session: Session;
  readonly #shown: Presented;
  #freshUntil = Number.NEGATIVE_INFINITY;
  /** Monotonic ms until which it is not read again, since it was dear to read. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #failingSince: number | undefined;
  /** By the query that it is asked with. */
  readonly #refreshing = new Map<string, Promise<Rendered>>();
  /** What players hear while there is nothing to stand in. */
  #failure: StatusError | undefined;
  /** Requests that wait for the first playlist. */
  #held = 0;
  readonly #reloads: BlockingReloads;

  constructor(session: Session, name: PlaylistName) {
    this.#session = session;
    this.#name = name;
    this.#shown = new Presented(session, name.rest);
    this.#reloads = new BlockingReloads(this.#reloaded());
  }

  #reloaded(): Reloaded {
    const rendition = this;
    return {
      get window() {
        return rendition.#shown.window;
      },
      get rendered() {
        return rendition.#shown.rendered;
      },
      get isFresh() {
        return rendition.#isFresh;
      },
      get isOwn() {
        return rendition.#freshUntil !== Number.NEGATIVE_INFINITY && rendition.#failingSince === undefined;
      },
      now: this.#session.context.now,
      current: (own) => this.#current(own),
      distrust: () => {
        this.#freshUntil = Number.NEGATIVE_INFINITY;
      },
      hold: (query) => this.#holdAtEndpoint(query),
      failed: (error) => this.#report(error),
    };
  }

  get rest(): string {
    return this.#name.rest;
  }

  get window(): MediaWindow | undefined {
    return this.#shown.window;
  }

  get known(): boolean {
    return this.#shown.rendered !== undefined;
  }

  /** undefined for what is made anew at any time: a master playlist. @param shift from our times to those of the state */
  state(shift: number): RenditionState | undefined {
    if (this.#shown.window === undefined) return undefined;
    const window = shiftTimes(this.#shown.window, shift);
    return { ...this.#name, window };
  }

  /** Goes on with what players saw elsewhere. */
  restore(window: MediaWindow): void {
    this.#shown.restore(window);
    this.expire();
    this.#session.committed(this, this.#shown.bytes);
  }

  /** There is a playlist to stand in while endpoints fail. */
  get servesStale(): boolean {
    const { now, settings } = this.#session.context;
    if (this.#shown.rendered === undefined) return false;
    return this.#failingSince === undefined || now() - this.#failingSince < settings.grace;
  }

  /** Whether its window lists that object among the newer ones of the endpoint with that tag. */
  lists(target: string, tag: string): boolean {
    return this.#shown.lists(target, tag);
  }

  /** The next player asks the endpoint, and those who wait for what is to come ask anew. */
  expire(): void {
    this.#freshUntil = Number.NEGATIVE_INFINITY;
    this.#restsUntil = Number.NEGATIVE_INFINITY;
    this.#reloads.abandon();
  }

  /**
   * The playlist: at once while it is fresh, or has what is asked for.
   *
   * @param own the player's own query
   * @throws StatusError when the origin has no such playlist, or refuses it to this player; WeirError when nothing can be
   *   served within `hls.grace`, or when what is asked for is too far ahead
   */
  ask({ sequence, part }: Directives, own: string): Rendered | Promise<Rendered> {
    if (sequence !== undefined) return this.#reloads.ask({ sequence, part }, own);
    if (part !== undefined) throw new WeirError('bad_request', { detail: 'A part without the number of its segment.' });
    return this.#current(own);
  }

  #current(own: string): Rendered | Promise<Rendered> {
    const rendered = this.#shown.rendered;
    if (rendered === undefined) return this.#hold(own);
    if (!this.#isFresh) return this.#orStale(this.#renew(own));
    if (this.servesStale) return rendered;
    throw this.#failure ?? new WeirError('no_endpoint');
  }

  get #isFresh(): boolean {
    return this.#session.context.now() < Math.max(this.#freshUntil, this.#restsUntil);
  }

  /** The same as a delta update, where the origin offers them. */
  skipping(rendered: Rendered): Rendered {
    return this.#shown.skipping(rendered);
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

  /** The new playlist, or the old one when that takes long or fails within the grace. */
  async #orStale(fresh: Promise<Rendered>): Promise<Rendered> {
    const enough = new AbortController();
    const stale = sleep(patience, undefined, { signal: enough.signal, ref: false }).then(
      () => this.#shown.rendered,
      () => undefined,
    );
    try {
      return (await Promise.race([fresh, stale])) ?? (await fresh);
    } catch (error) {
      if (isForAsker(error)) throw error;
      if (this.#shown.rendered !== undefined && this.servesStale) return this.#shown.rendered;
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
      // Who waited for it may have gone: nobody else would say it.
      if (!isExpected(error)) this.#report(error);
      this.#failingSince ??= now();
      this.#freshUntil = now() + retryInterval;
      this.#failure = this.#session.tokens === 'own' && error instanceof StatusError ? error : undefined;
      throw error;
    }
  }

  /** Asks the present endpoint for what is to come; false when there is no answer that counts. */
  async #holdAtEndpoint(query: string): Promise<boolean> {
    const session = this.#session;
    const { now, settings } = session.context;
    const target = this.#shown.window?.targetDuration ?? 1;
    const deadline = Math.min(settings.stallFactor * target * 1000, longestHeld);
    if (now() < this.#restsUntil) return false;
    try {
      const attachment = session.choice.attach([]);
      const { moves } = session.choice;
      if (session.choice.current !== attachment) {
        attachment.release('abandoned');
        return false;
      }
      const fetched = await attachment.source.fetch(this.#request(session.query, deadline), query);
      if (session.choice.moves !== moves) return false;
      this.#commit({ attachment, fetched, step: undefined, preview: undefined, problem: undefined }, now());
      return true;
    } catch (error) {
      if (!isExpected(error)) throw error;
      return false;
    }
  }

  #report(error: unknown): void {
    const { logger } = this.#session.context;
    logger.error({ err: error, channel: this.#session.name.channel }, 'a playlist failed inside weir');
  }

  #request(own: string, deadline: number): PlaylistRequest {
    const { rest, origins, variant } = this.#name;
    return { rest, origins, variant, own, deadline };
  }

  #commit(round: Round, at: number): Rendered {
    const { playlist, headers } = round.fetched;
    const rendered = this.#shown.take(round, at);
    this.#restsUntil = playlist.kind === 'media' ? this.#session.context.now() + restAfter(playlist.lines) : 0;
    this.#freshUntil = at + this.#lifetime(rendered, headers);
    this.#failingSince = undefined;
    this.#session.committed(this, this.#shown.bytes + round.fetched.kept);
    this.#reloads.progressed();
    return rendered;
  }

  /** ms for which it is used without asking again. */
  #lifetime({ kind }: Rendered, headers: IncomingHttpHeaders): number {
    const { settings, clock } = this.#session.context;
    const { window } = this.#shown;
    const live = kind === 'media' && window?.ended === false ? liveInterval(window) : undefined;
    const most =
      live === undefined ? settings.masterMaxAge : Math.min(settings.playlistMaxAge, settings.playlistShare * live);
    if (!settings.respectCacheControl) return most;
    const policy = cachePolicy(headers, clock(), 0);
    return Math.min(most, Math.max(policy.storable ? policy.freshFor : 0, settings.playlistMinAge));
  }
}

/** ms in which a live playlist usually changes. */
function liveInterval({ delivery, targetDuration }: MediaWindow): number {
  return 1000 * (delivery.partTarget ?? targetDuration);
}
