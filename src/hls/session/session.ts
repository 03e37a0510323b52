// One HLS session: the playlists of its players, and what these have in common.

import type { WeirError } from '../../errors.js';
import type { ChannelName, Endpoint } from '../../model.js';
import { consequenceOf } from './blame.js';
import { ChannelPlan } from './channel-plan.js';
import { EndpointChoice } from './endpoint-choice.js';
import { type SessionState, shiftPeriod, shiftTimes } from './handover.js';
import { ListedObjects } from './listed-objects.js';
import { PlayerTokens } from './player-tokens.js';
import { PlaylistView, type ViewHost } from './playlist-view.js';
import { PlaylistViews } from './playlist-views.js';
import type { SessionContext } from './session-context.js';
import type { SessionName } from './session-name.js';
import { fetchedAheadMs, SessionObjects } from './session-objects.js';
import type { SessionRoom, Shelf, Tenant } from './session-room.js';
import { PeriodTimeline } from './timeline.js';

/** Bytes of a session, and of a playlist in it, beside the text and what is listed. */
const overheadBytes = 8 * 1024;

/** Where a session is kept. */
export interface SessionPlace {
  readonly key: string;
  /** Who asked for it first; an address or a network. */
  readonly client: string;
  readonly room: SessionRoom<Session>;
}

/** It wires its parts and counts their bytes; none of them knows it. */
export class Session implements Tenant<Session> {
  readonly name: SessionName;
  readonly tokens: PlayerTokens;
  readonly choice: EndpointChoice;
  readonly timeline: PeriodTimeline;
  readonly objects: SessionObjects;
  readonly playlists: PlaylistViews;
  /** Monotonic ms. */
  usedAt: number;
  /** Grows with every change of what another process would need. */
  revision = 0;
  isProven = false;
  isShared = false;
  bytes: number;
  shelf: Shelf<Session> | undefined;
  readonly #context: SessionContext;
  readonly #seat: SessionPlace | undefined;
  readonly #plan: ChannelPlan | undefined;
  #asked = 0;
  /** Bytes of what is known of its endpoint, as counted. */
  #rememberedBytes = 0;

  /** @param place undefined: it is not kept, and lives as long as one request */
  constructor(name: SessionName, context: SessionContext, place?: SessionPlace) {
    this.name = name;
    this.#context = context;
    this.#seat = place;
    this.usedAt = context.now();
    this.bytes = overheadBytes + 4 * (name.stem.length + name.query.length) + 2 * (name.authorization?.length ?? 0);
    const listed = new ListedObjects();
    this.tokens = new PlayerTokens(name);
    this.#plan = this.#planOf(place);
    this.timeline = new PeriodTimeline(this.#plan, context.now, context.clock);
    const plan = this.#plan;
    this.choice = new EndpointChoice({ name, context, tokens: this.tokens, plan, left: () => this.expire() });
    const { tokens, choice, timeline } = this;
    this.objects = new SessionObjects({ name, context, tokens, choice, listed });
    const tools = { name, context, tokens, choice, timeline, plan, objects: this.objects };
    const host = this.#host();
    const create = (asked: ConstructorParameters<typeof PlaylistView>[0]) => new PlaylistView(asked, tools, host);
    this.playlists = new PlaylistViews({ now: context.now, create, listed });
  }

  /** What origins say to one player's own query is no matter of other edges. */
  #planOf(place: SessionPlace | undefined): ChannelPlan | undefined {
    const { plans: desk, now, clock, metrics } = this.#context;
    if (desk === undefined || place === undefined || this.tokens.kind === 'own') return undefined;
    return new ChannelPlan({
      desk,
      channel: this.name.channel,
      now,
      clock,
      heard: () => this.#planHeard(),
      apart: () => metrics.hlsApart.inc(),
    });
  }

  /** What was listed beyond a new period's beginning is said, and the next request of a player asks anew. */
  #planHeard(): void {
    for (const { list, window } of this.playlists) {
      const last = window?.entries.at(-1)?.sequence;
      if (window !== undefined && last !== undefined) this.#plan?.raise(list, window.period, last);
    }
    this.expire();
  }

  /** Whether its numbers are those of the plan that all edges follow. */
  get followsPlan(): boolean {
    const present = this.#plan?.present;
    return present !== undefined && present.number === this.timeline.period?.number;
  }

  /** It is not kept any more. */
  close(): void {
    this.#plan?.close();
    this.choice.release();
  }

  #host(): ViewHost {
    return {
      mayPrefetch: () => this.#mayPrefetch,
      committed: (view, bytes) => this.#committed(view, bytes),
      forgotten: (view) => this.#forget(view),
    };
  }

  get key(): string {
    return this.#seat?.key ?? '';
  }

  get client(): string {
    return this.#seat?.client ?? '';
  }

  get channel(): ChannelName {
    return this.name.channel;
  }

  get isRegular(): boolean {
    return this.#asked > 1;
  }

  get endpoint(): Endpoint | undefined {
    return this.choice.current?.pick.endpoint;
  }

  /** True while a player could go on here, though the channel is out of the registry. */
  get servesStale(): boolean {
    for (const view of this.playlists) if (view.servesStale) return true;
    return false;
  }

  /** A player asks for one of its playlists. */
  asked(): void {
    this.#asked += 1;
    this.used();
  }

  /** A player asks for something of it. */
  used(): void {
    this.usedAt = this.#context.now();
    this.#seat?.room.changed(this);
  }

  /** It was asked for by somebody else than its first client. */
  share(): void {
    this.isShared = true;
  }

  /**
   * Whether to fetch segments before players hear of them: for who watches, and where one client may be all there is,
   * only while the cache has room for as long as it takes until a player comes for them.
   */
  get #mayPrefetch(): boolean {
    const { settings, cache } = this.#context;
    if (!settings.prefetch || !this.isRegular) return false;
    return this.tokens.kind === 'none' || this.isShared || cache.lasts(fetchedAheadMs);
  }

  /** An origin has given that playlist. @param bytes of what is kept of it */
  #committed(view: PlaylistView, bytes: number): void {
    this.isProven = true;
    this.revision += 1;
    const remembered = this.choice.current?.loader.bytes ?? 0;
    const growth = this.playlists.committed(view, overheadBytes + bytes) + remembered - this.#rememberedBytes;
    this.#rememberedBytes = remembered;
    this.bytes += growth;
    this.#seat?.room.changed(this, growth);
  }

  /** A path that no origin has needs no place. */
  #forget(view: PlaylistView): void {
    this.playlists.forget(view);
    if (!this.isProven && this.playlists.isEmpty) this.#seat?.room.end(this);
  }

  /** Removes the playlist that was asked for least recently. @returns false when none can be removed */
  shrink(): boolean {
    const bytes = this.playlists.shrink();
    this.bytes -= bytes;
    this.#seat?.room.changed(this, -bytes);
    return bytes > 0;
  }

  /** The next request of a player asks anew. */
  expire(): void {
    for (const view of this.playlists) view.expire();
  }

  /**
   * An object was not there, or ended short; that counts where the present endpoint lists it.
   *
   * @param failure as `consequenceOf`
   */
  objectFailed(target: string, failure: number | WeirError): void {
    const { current } = this.choice;
    const { leave, outcome } = consequenceOf(failure, this.tokens.kind);
    if (current === undefined || !leave) return;
    const isListed = [...this.playlists].some((view) => view.lists(target, current.tag));
    if (isListed) this.choice.failed(current, 'segment', outcome);
  }

  /** For another process that goes on with it; undefined while there is nothing to go on with. */
  get state(): SessionState | undefined {
    const { now, clock } = this.#context;
    const shiftMs = clock() - now();
    const current = this.timeline.period;
    const playlists = [...this.playlists].flatMap((view) => view.state(shiftMs) ?? []);
    if (current === undefined || playlists.length === 0) return undefined;
    const endpoint = this.endpoint?.address;
    const period = shiftPeriod(current, shiftMs);
    return { key: this.key, channel: this.channel, endpoint, period, playlists, bytes: this.bytes };
  }

  /** Goes on where another process stopped. Only for a session that was not used yet. */
  restore({ endpoint: address, period, playlists }: SessionState): void {
    const { balancer, store, now, clock } = this.#context;
    const shiftMs = now() - clock();
    this.timeline.restore(shiftPeriod(period, shiftMs));
    for (const { window, ...name } of playlists) this.playlists.open(name, '').restore(shiftTimes(window, shiftMs));
    // A player watched it in the other process.
    this.#asked = 1;
    const endpoint = store.channel(this.channel)?.endpoints.find((one) => one.address === address);
    if (endpoint !== undefined) balancer.stick(endpoint);
  }
}
