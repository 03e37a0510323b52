// One playlist of a session as players get it: how long it is used, which players wait for a new one, and what is served
// when no endpoint answers.

import { setTimeout as sleep } from 'node:timers/promises';
import { toWeirError, WeirError } from '../../errors.js';
import { listName } from '../plan/codec.js';
import { readingRestMs } from '../playlist/reading-cost.js';
import type { MediaWindow } from '../presentation/live-window.js';
import type { Rendered } from '../presentation/rendered.js';
import type { Directives, PlaylistName } from '../url/player-query.js';
import { BlockingReloads, type Reloaded } from './blocking-reload.js';
import { type PlaylistState, shiftTimes } from './handover.js';
import type { Inspected } from './inspection.js';
import { asUnavailable, isExpected, isForAsker } from './playlist-errors.js';
import { PlaylistFreshness } from './playlist-freshness.js';
import { lifetimeMs } from './playlist-lifetime.js';
import { type PlaylistRequest, StatusError } from './playlist-loader.js';
import { Presented } from './presented.js';
import { type RefreshTools, refresh } from './refresh.js';
import type { SessionName } from './session-name.js';
import { SharedRefreshes } from './shared-refreshes.js';

/** What a playlist works with, of its session. */
export interface ViewTools extends RefreshTools {
  readonly name: SessionName;
}

/** What a playlist tells its session. */
export interface ViewHost {
  /** Whether its new segments are worth fetching before players hear of them. */
  mayPrefetch(): boolean;
  /** An endpoint has given it. @param bytes of what is kept of it */
  committed(view: PlaylistView, bytes: number): void;
  /** No endpoint has it, and nobody waits for it any more. */
  forgotten(view: PlaylistView): void;
}

/** ms between refreshes while no endpoint answers. */
const retryIntervalMs = 250;
/** ms that a request waits for a new playlist when there is an old one to give. */
const patienceMs = 1_000;
/** ms for which an endpoint may hold a request, whatever its target duration. */
const maxHeldMs = 60_000;

/** One playlist, from its first request until its session lets go of it. */
export class PlaylistView {
  readonly #name: PlaylistName;
  readonly #tools: ViewTools;
  readonly #host: ViewHost;
  readonly #shown: Presented;
  readonly #freshness: PlaylistFreshness;
  readonly #refreshes: SharedRefreshes<Rendered>;
  /** What players hear while there is nothing to stand in. */
  #failure: StatusError | undefined;
  /** Requests that wait for the first playlist. */
  #held = 0;
  readonly #reloads: BlockingReloads;

  constructor(name: PlaylistName, tools: ViewTools, host: ViewHost) {
    this.#name = name;
    this.#tools = tools;
    this.#host = host;
    const { context } = tools;
    this.#shown = new Presented(tools, name.suffix, listName(name));
    this.#freshness = new PlaylistFreshness(context.now, () => context.settings.grace);
    this.#refreshes = new SharedRefreshes((query) => this.#refresh(query));
    this.#reloads = new BlockingReloads(this.#reloaded());
  }

  #reloaded(): Reloaded {
    const view = this;
    return {
      get window() {
        return view.#shown.window;
      },
      get rendered() {
        return view.#shown.rendered;
      },
      get isFresh() {
        return view.#freshness.isFresh;
      },
      get isOwn() {
        return view.#freshness.isOwn;
      },
      now: this.#tools.context.now,
      current: (own) => this.#current(own),
      distrust: () => this.#freshness.distrust(),
      hold: (query) => this.#holdAtEndpoint(query),
      failed: (error) => this.#report(error),
    };
  }

  /** Path behind the stem. */
  get suffix(): string {
    return this.#name.suffix;
  }

  /** Its name in the plan of the channel. */
  get list(): string {
    return this.#shown.list;
  }

  /** In memory, about. */
  get #bytes(): number {
    const { suffix, pin, originQuery } = this.#name;
    return this.#shown.bytes + 2 * (suffix.length + pin.length + originQuery.length);
  }

  get window(): MediaWindow | undefined {
    return this.#shown.window;
  }

  /** True once an endpoint, or another process, has given it. */
  get known(): boolean {
    return this.#shown.rendered !== undefined;
  }

  /** undefined for a multivariant playlist, made anew at any time. @param shiftMs from our times to those of the state */
  state(shiftMs: number): PlaylistState | undefined {
    if (this.#shown.window === undefined) return undefined;
    const window = shiftTimes(this.#shown.window, shiftMs);
    return { ...this.#name, window };
  }

  /** Goes on with what players saw elsewhere. */
  restore(window: MediaWindow): void {
    this.#shown.restore(window);
    this.expire();
    this.#host.committed(this, this.#bytes);
  }

  /** There is a playlist to stand in while endpoints fail. */
  get servesStale(): boolean {
    return this.known && this.#freshness.isWithinGrace;
  }

  /** Whether its window lists that object among the newer ones of the endpoint with that tag. */
  lists(target: string, tag: string): boolean {
    return this.#shown.lists(target, tag);
  }

  /** The next player asks the endpoint, and those who wait for what is to come ask anew. */
  expire(): void {
    this.#freshness.expire();
    this.#reloads.abandon();
  }

  /**
   * The playlist: at once while it is fresh, or has what is asked for.
   *
   * @param own the player's own query
   * @throws StatusError when the origin has no such playlist, or refuses it to this player; WeirError when nothing can
   *   be served within `hls.grace`, or when what is asked for is too far ahead
   */
  ask({ sequence, part }: Directives, own: string): Rendered | Promise<Rendered> {
    if (sequence !== undefined) return this.#reloads.ask({ sequence, part }, own);
    if (part !== undefined) throw new WeirError('bad_request', { detail: 'A part without the number of its segment.' });
    return this.#current(own);
  }

  #current(own: string): Rendered | Promise<Rendered> {
    const rendered = this.#shown.rendered;
    if (rendered === undefined) return this.#hold(own);
    if (!this.#freshness.isFresh) return this.#orStale(this.#renew(own));
    if (this.servesStale) return rendered;
    throw this.#failure ?? new WeirError('no_endpoint');
  }

  /** The same as a delta update, where the origin offers them. */
  skipping(rendered: Rendered): Rendered {
    return this.#shown.skipping(rendered);
  }

  /** A new playlist, by the query that worked last; where that one is refused, by the player's own. */
  #renew(own: string): Promise<Rendered> {
    return this.#refreshes.ask(this.#tools.tokens.query, own);
  }

  /** The new playlist, or the old one when that takes long or fails within the grace. */
  async #orStale(fresh: Promise<Rendered>): Promise<Rendered> {
    const enough = new AbortController();
    const stale = sleep(patienceMs, undefined, { signal: enough.signal, ref: false }).then(
      () => this.#shown.rendered,
      () => undefined,
    );
    try {
      return (await Promise.race([fresh, stale])) ?? (await fresh);
    } catch (error) {
      if (isForAsker(error)) throw error;
      if (this.#shown.rendered !== undefined && this.servesStale) return this.#shown.rendered;
      throw this.#tools.tokens.kind === 'own' && error instanceof StatusError ? error : asUnavailable(error);
    } finally {
      enough.abort();
      // It may fail after we stopped waiting.
      fresh.catch(() => undefined);
    }
  }

  /** Nothing can be served yet: the request waits while endpoints fail, for as long as the grace. */
  async #hold(own: string): Promise<Rendered> {
    const { now, settings } = this.#tools.context;
    const until = now() + settings.grace;
    this.#held += 1;
    try {
      return await this.#first(own, until);
    } finally {
      this.#held -= 1;
      if (!this.known && this.#held === 0) this.#host.forgotten(this);
    }
  }

  /** @param until monotonic ms after which nobody waits any more */
  async #first(own: string, until: number): Promise<Rendered> {
    const { now } = this.#tools.context;
    for (;;) {
      try {
        return await this.#renew(own);
      } catch (error) {
        const hopeless = error instanceof StatusError || toWeirError(error).side !== 'upstream';
        if (hopeless || now() + retryIntervalMs > until)
          throw error instanceof StatusError ? error : asUnavailable(error);
      }
      await sleep(retryIntervalMs, undefined, { ref: false });
    }
  }

  async #refresh(query: string): Promise<Rendered> {
    const { context, tokens } = this.#tools;
    const at = context.now();
    try {
      const rendered = await refresh(this.#tools, {
        suffix: this.#name.suffix,
        presented: this.#shown,
        mayPrefetch: () => this.#host.mayPrefetch(),
        ask: (deadlineMs) => this.#request(query, deadlineMs),
        accept: (given) => this.#accept(given, at),
      });
      tokens.query = query;
      return rendered;
    } catch (error) {
      if (isForAsker(error)) throw error;
      // The player who waited may have gone: no one else would report it.
      if (!isExpected(error)) this.#report(error);
      this.#freshness.failed(retryIntervalMs);
      this.#failure = tokens.kind === 'own' && error instanceof StatusError ? error : undefined;
      throw error;
    }
  }

  /** Asks the present endpoint for what is to come; false when there is no answer that counts. */
  async #holdAtEndpoint(query: string): Promise<boolean> {
    const { context, choice, tokens } = this.#tools;
    const { now, settings } = context;
    const target = this.#shown.window?.targetDurationSeconds ?? 1;
    const deadlineMs = Math.min(settings.stallFactor * target * 1000, maxHeldMs);
    if (this.#freshness.rests) return false;
    try {
      const link = choice.attach([]);
      const { moves } = choice;
      if (choice.current !== link) {
        link.release('abandoned');
        return false;
      }
      const fetched = await link.loader.fetch(this.#request(tokens.query, deadlineMs), query);
      if (choice.moves !== moves) return false;
      this.#accept({ link, fetched, proposal: undefined, problem: undefined }, now());
      return true;
    } catch (error) {
      if (!isExpected(error)) throw error;
      return false;
    }
  }

  #report(error: unknown): void {
    const { context, name } = this.#tools;
    context.logger.error({ err: error, channel: name.channel }, 'a playlist failed inside weir');
  }

  #request(own: string, deadlineMs: number): PlaylistRequest {
    const { suffix, originQuery, variant } = this.#name;
    return { suffix, originQuery, variant, own, deadlineMs };
  }

  /** Publishes what the session's endpoint gave. @param at monotonic ms at which it was asked, or answered */
  #accept({ link, fetched, proposal }: Inspected, at: number): Rendered {
    const { clock, settings } = this.#tools.context;
    const { playlist, headers } = fetched;
    const isMedia = playlist.kind === 'media';
    const rendered = isMedia
      ? this.#shown.publish(proposal ?? this.#shown.propose(link, fetched, playlist, false), at)
      : this.#shown.publishMultivariant(link, fetched, playlist, at);
    const window = isMedia ? this.#shown.window : undefined;
    const restMs = isMedia ? readingRestMs(playlist.lines) : 0;
    this.#freshness.answered(at + lifetimeMs(window, headers, settings, clock()), restMs);
    this.#host.committed(this, this.#bytes);
    this.#reloads.progressed();
    return rendered;
  }
}
