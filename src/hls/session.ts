// One HLS presentation: its renditions, the epochs they pass through together, and where its objects are asked for.

import type { WeirError } from '../errors.js';
import type { ChannelName, Endpoint, ServerOrigin } from '../model.js';
import { serverOf } from '../net-address.js';
import { type Attachment, createOrigin, type SessionName } from './attachment.js';
import { consequenceOf, type Tokens } from './blame.js';
import type { OpenOptions } from './cache.js';
import type { Load, Terms } from './cached-object.js';
import { EndpointChoice, type Problem } from './endpoint-choice.js';
import { type Epoch, firstEpoch, moveTo } from './epoch.js';
import { createLentLoad } from './lent-load.js';
import { createLoad, type Place } from './object-load.js';
import type { Origin } from './origin.js';
import type { Pin } from './pin.js';
import type { Rendition } from './rendition.js';
import { Renditions } from './renditions.js';
import { objectKey, parseQuery, readPin } from './request.js';
import type { SessionContext } from './session-context.js';
import type { SessionRoom, Shelf, Tenant } from './session-room.js';
import { type SessionState, shiftEpoch, shiftTimes } from './session-state.js';

/** ms for which an object may have been here before the playlist that lists it. */
const fetchedAhead = 10_000;
const listedTerms: Terms = { room: 'listed', atLeast: 0, atMost: Number.POSITIVE_INFINITY };
/** A part may be held by its origin for as many first-byte timeouts. */
const heldFactor = 3;

/** Bytes of a session, and of a playlist in it, beside the text and what is listed. */
const sessionOverhead = 8 * 1024;

/** Where a session is kept. */
export interface SessionPlace {
  readonly key: string;
  /** Who asked for it first; an address or a network. */
  readonly client: string;
  readonly room: SessionRoom<Session>;
}

export class Session implements Tenant<Session> {
  readonly name: SessionName;
  /** What goes to origins of players' queries: the last one that worked, where they are not told apart. */
  query: string;
  readonly context: SessionContext;
  /** What renditions have in common; undefined before the first playlist. */
  epoch: Epoch | undefined;
  /** Monotonic ms. */
  usedAt: number;
  /** Grows with every change of what another process would need. */
  revision = 0;
  readonly choice: EndpointChoice;
  readonly renditions = new Renditions(this);
  isProven = false;
  isShared = false;
  bytes: number;
  shelf: Shelf<Session> | undefined;
  readonly #seat: SessionPlace | undefined;
  #asked = 0;

  /** @param place undefined: it is not kept, and lives as long as one request */
  constructor(name: SessionName, context: SessionContext, place?: SessionPlace) {
    this.name = name;
    this.query = name.query;
    this.context = context;
    this.#seat = place;
    this.choice = new EndpointChoice(this);
    this.usedAt = context.now();
    this.bytes = sessionOverhead + 4 * (name.stem.length + name.query.length);
  }

  get key(): string {
    return this.#seat?.key ?? '';
  }

  get client(): string {
    return this.#seat?.client ?? '';
  }

  get tokens(): Tokens {
    return this.name.partition !== '' ? 'own' : this.query !== '' ? 'lent' : 'none';
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
  get lives(): boolean {
    for (const rendition of this.renditions) if (rendition.servesStale) return true;
    return false;
  }

  /** A player asks for one of its playlists. */
  asked(): void {
    this.#asked += 1;
    this.used();
  }

  /** A player asks for something of it. */
  used(): void {
    this.usedAt = this.context.now();
    this.#seat?.room.changed(this);
  }

  /**
   * Whether to fetch segments before players hear of them: for who watches, and where one client may be all there is, only while
   * the cache has room for as long as it takes until a player comes for them.
   */
  get mayPrefetch(): boolean {
    if (!this.context.settings.prefetch || !this.isRegular) return false;
    return this.tokens === 'none' || this.isShared || this.context.cache.lasts(fetchedAhead);
  }

  /** It was asked for by somebody else than its first client. */
  share(): void {
    this.isShared = true;
  }

  /** An origin has given that playlist. @param size UTF-16 units of what is kept of it */
  committed(rendition: Rendition, size: number): void {
    this.isProven = true;
    this.revision += 1;
    const growth = this.renditions.committed(rendition, sessionOverhead + size);
    this.bytes += growth;
    this.#seat?.room.changed(this, growth);
  }

  /** A path that turned out to lead to nothing needs no place. */
  forget(rendition: Rendition): void {
    this.renditions.forget(rendition);
    if (!this.isProven && this.renditions.isEmpty) this.#seat?.room.end(this);
  }

  shrink(): boolean {
    const bytes = this.renditions.shrink();
    this.bytes -= bytes;
    this.#seat?.room.changed(this, -bytes);
    return bytes > 0;
  }

  /** The next request of a player asks anew. */
  expire(): void {
    for (const rendition of this.renditions) rendition.expire();
  }

  /**
   * The endpoint has given a good playlist: from now on it is the session's.
   *
   * @param problem why the present one is left, if it was not for its score
   */
  settle(attachment: Attachment, problem: Problem | undefined): void {
    if (this.choice.settle(attachment, problem)) this.epoch = this.epochAt(attachment);
  }

  /** The epoch that holds, or would begin, with this endpoint. */
  epochAt(attachment: Attachment): Epoch {
    if (this.epoch === undefined) return firstEpoch(attachment.tag);
    return this.epoch.source === attachment.tag ? this.epoch : moveTo(this.epoch, attachment.tag);
  }

  /** True when the endpoint with this tag is registered and has not failed lately. */
  reaches(tag: string): boolean {
    const endpoint = this.endpointOf(tag);
    if (endpoint === undefined) return false;
    return this.choice.current?.tag === tag || !this.choice.avoids(serverOf(endpoint.address));
  }

  endpointOf(tag: string): Endpoint | undefined {
    const channel = this.context.store.channel(this.name.channel);
    return channel?.endpoints.find((endpoint) => this.context.tagOf(endpoint.address) === tag);
  }

  /** The key of an object. @param place `placeOf` it */
  keyOf(place: string): string {
    return objectKey(this.name.partition, place);
  }

  /** How an object is opened that a playlist lists, or is about to. */
  openListed(place: string): { readonly key: string; readonly options: OpenOptions } {
    const since = this.renditions.listed.since(place) ?? this.context.now();
    return { key: this.keyOf(place), options: { terms: listedTerms, since: since - fetchedAhead } };
  }

  /**
   * The same, where a playlist lists it, or listed it a while ago and a copy is left; undefined: it is a player's word.
   *
   * @param isReachable whether the endpoint that listed it is registered: no other one has the same object
   */
  findListed(place: string, isReachable: boolean): ReturnType<Session['openListed']> | undefined {
    const isListed = this.renditions.listed.since(place) !== undefined;
    if (isListed && isReachable) return this.openListed(place);
    const { cache, now, settings } = this.context;
    const key = this.keyOf(place);
    if (isListed && cache.holds(key)) return { key, options: { terms: listedTerms, since: Number.NEGATIVE_INFINITY } };
    const since = now() - settings.objectMaxAge;
    const stored = cache.stored(key);
    return stored !== undefined && stored.arrivedAt >= since
      ? { key, options: { terms: listedTerms, since } }
      : undefined;
  }

  /** The request for an object, with one query after the other while it is refused. */
  loadWith(target: string, range: string | undefined, queries: readonly string[]): Load {
    const loads = queries.map((query) => this.load(target, range, query));
    if (this.tokens !== 'lent') return loads[0] ?? this.load(target, range, '');
    return createLentLoad(loads, (index) => {
      this.query = queries[index] ?? this.query;
    });
  }

  /**
   * The request for an object, `target` being as a playlist lists it.
   *
   * @param own the player's own query
   * @param via the endpoint to ask, where it is not the pin that says so
   */
  load(target: string, range: string | undefined, own: string, via?: Attachment): Load {
    const [path = '', query = ''] = target.split('?', 2);
    const { pin: text, origins } = parseQuery(query === '' ? '' : `?${query}`);
    const pin = readPin(text, this.context.keys);
    const rest = path.slice(this.name.stem.length);
    const { firstByteTimeout, retries } = this.context;
    return createLoad((failed) => this.#place(pin, via, failed), {
      url: (origin) => {
        const url = this.#vouches(origin, pin) ? origin.urlOf(rest, pin.original) : origin.url(rest, '');
        url.search = [url.search.slice(1), origins, own].filter((part) => part !== '').join('&');
        return url;
      },
      range,
      firstByteTimeout: pin?.held === true ? heldFactor * firstByteTimeout : firstByteTimeout,
      retries,
    });
  }

  /** Whether the pin names a place of its own; one elsewhere than at an endpoint only for the one that redirected there. */
  #vouches(origin: Origin, pin: Pin | undefined): pin is Pin & { readonly original: string } {
    if (pin?.original === undefined) return false;
    return pin.original.startsWith('/') || this.context.tagOf(origin.address) === pin.endpoint;
  }

  /** The endpoint of the pin while it is registered, then the present one, then any. */
  #place(pin: Pin | undefined, via: Attachment | undefined, failed: readonly ServerOrigin[]): Place {
    if (via !== undefined) return { origin: via.origin, pick: undefined };
    const current = this.choice.registered();
    if (pin !== undefined) {
      if (pin.endpoint === current?.tag) return { origin: current.origin, pick: undefined };
      const endpoint = this.endpointOf(pin.endpoint);
      if (endpoint !== undefined) return { origin: this.#createOrigin(endpoint), pick: undefined };
    }
    // What failed for one path says nothing to others.
    const sticky = failed.length === 0;
    const pick = this.context.balancer.pick(this.name.channel, { sticky, exclude: failed });
    const isCurrent = pick.endpoint.address === current?.pick.endpoint.address;
    return { origin: isCurrent && current !== undefined ? current.origin : this.#createOrigin(pick.endpoint), pick };
  }

  #createOrigin({ address }: Endpoint): Origin {
    return createOrigin(address, this.name, this.context);
  }

  /** An object was not there, or ended short; that counts where the present endpoint lists it. @param failure as `consequenceOf` */
  objectFailed(target: string, failure: number | WeirError): void {
    const { current } = this.choice;
    const { leave, outcome } = consequenceOf(failure, this.tokens);
    if (current === undefined || !leave) return;
    const listed = [...this.renditions].some((rendition) => rendition.lists(target, current.tag));
    if (listed) this.choice.failed(current, 'segment', outcome);
  }

  /** For another process that goes on with it; undefined while there is nothing to go on with. */
  get state(): SessionState | undefined {
    const { now, clock } = this.context;
    const renditions = [...this.renditions].flatMap((rendition) => rendition.state(clock() - now()) ?? []);
    if (this.epoch === undefined || renditions.length === 0) return undefined;
    const endpoint = this.endpoint?.address;
    const shifted = shiftEpoch(this.epoch, clock() - now());
    return { key: this.key, channel: this.channel, endpoint, epoch: shifted, renditions, bytes: this.bytes };
  }

  /** Goes on where another process stopped. Only for a session that was not used yet. */
  restore({ endpoint: address, epoch, renditions }: SessionState): void {
    const { balancer, store, now, clock } = this.context;
    this.epoch = shiftEpoch(epoch, now() - clock());
    for (const state of renditions) {
      const { window, ...name } = state;
      this.renditions.open(name, '').restore(shiftTimes(window, now() - clock()));
    }
    // Somebody watched it there.
    this.#asked = 1;
    const endpoint = store.channel(this.name.channel)?.endpoints.find((one) => one.address === address);
    if (endpoint !== undefined) balancer.stick(endpoint);
  }
}
