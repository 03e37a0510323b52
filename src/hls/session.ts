// One HLS presentation: the endpoint it comes from, the epochs its renditions pass through together, and when it moves.

import { failureOf } from '../balancer/failure.js';
import type { Failure } from '../balancer/policy.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Endpoint, ServerOrigin } from '../model.js';
import { serverOf } from '../net-address.js';
import { Attachment, createOrigin, type SessionName } from './attachment.js';
import type { Load } from './cached-object.js';
import { type Epoch, firstEpoch, moveTo } from './epoch.js';
import { createLoad, type Place } from './object-load.js';
import type { Origin } from './origin.js';
import type { Pin } from './pin.js';
import { Rendition } from './rendition.js';
import { objectKey, type PlayerQuery, parseQuery, readPin } from './request.js';
import type { SessionContext, SwitchCause } from './session-context.js';
import { type SessionState, shiftTimes } from './session-state.js';

/** Renditions of one session that are kept; paths are the players' to choose. */
const mostRenditions = 64;
/** A part may be held by its origin for as many first-byte timeouts. */
const heldFactor = 3;

/** What is wrong with an endpoint that answers: reason enough to try another one, none to go without. */
export interface Problem {
  readonly cause: SwitchCause;
  readonly outcome: Failure | 'success';
}

export interface LastSwitch {
  /** Epoch ms. */
  readonly at: number;
  readonly cause: SwitchCause;
  readonly from: string;
  readonly to: string;
}

export class Session {
  /** Its query is that of the last player to ask, where queries are not told apart. */
  name: SessionName;
  readonly context: SessionContext;
  /** What renditions have in common; undefined before the first playlist. */
  epoch: Epoch | undefined;
  /** Grows with every move: what was asked of another endpoint meanwhile does not count. */
  moves = 0;
  lastSwitch: LastSwitch | undefined;
  /** Monotonic ms. */
  usedAt: number;
  #current: Attachment | undefined;
  #movedAt = Number.NEGATIVE_INFINITY;
  /** Why the endpoint before was left, until the next one is there. */
  #leftFor: { readonly cause: SwitchCause; readonly from: string } | undefined;
  readonly #avoided = new Map<ServerOrigin, number>();
  readonly #renditions = new Map<string, Rendition>();

  constructor(name: SessionName, context: SessionContext) {
    this.name = name;
    this.context = context;
    this.usedAt = context.now();
  }

  get endpoint(): Endpoint | undefined {
    return this.#current?.pick.endpoint;
  }

  get renditions(): Iterable<Rendition> {
    return this.#renditions.values();
  }

  /** No origin ever had what was asked for. */
  get isEmpty(): boolean {
    return this.#renditions.size === 0;
  }

  /** True while a player could go on here, though the channel is out of the registry. */
  get lives(): boolean {
    return [...this.#renditions.values()].some((rendition) => rendition.servesStale);
  }

  rendition(rest: string, { pin, origins }: Pick<PlayerQuery, 'pin' | 'origins'>): Rendition {
    this.usedAt = this.context.now();
    const key = `${rest} ${pin} ${origins}`;
    const known = this.#renditions.get(key);
    if (known !== undefined) return known;
    const rendition = new Rendition(this, { rest, pin, origins });
    for (const oldest of this.#renditions.keys()) {
      if (this.#renditions.size < mostRenditions) break;
      this.#renditions.delete(oldest);
    }
    this.#renditions.set(key, rendition);
    return rendition;
  }

  /** A path that turned out to lead to nothing needs no place. */
  forget(rendition: Rendition): void {
    for (const [key, one] of this.#renditions) if (one === rendition) this.#renditions.delete(key);
  }

  /**
   * The endpoint to ask next: the present one while it is registered and good enough, or a candidate that `moved` makes the
   * present one once it has shown itself.
   *
   * @param failed servers that failed in this round
   * @throws WeirError no_endpoint when there is none besides those
   */
  attach(failed: readonly ServerOrigin[]): Attachment {
    const current = this.#registered();
    const usable = current !== undefined && !failed.includes(current.pick.server);
    if (usable && !this.#wantsToMove(current)) return current;
    const pick = this.#pick([...failed, ...this.#avoidedNow()]) ?? this.#pick(failed);
    if (pick === undefined) {
      if (usable) return current;
      throw new WeirError('no_endpoint');
    }
    if (usable && pick.endpoint.address === current.pick.endpoint.address) {
      pick.done('abandoned');
      return current;
    }
    return new Attachment(pick, this.name, this.context);
  }

  holds(attachment: Attachment): boolean {
    return this.#current === attachment;
  }

  /** Another endpoint than these, not avoided, to be tried because of a problem that is no error; undefined: there is none. */
  hasAlternative(failed: readonly ServerOrigin[]): boolean {
    const pick = this.#pick([...failed, ...this.#avoidedNow()], false);
    pick?.done('abandoned');
    return pick !== undefined;
  }

  /** @param sticky whether the channel's other sessions follow */
  #pick(exclude: readonly ServerOrigin[], sticky = true) {
    try {
      return this.context.balancer.pick(this.name.channel, { sticky, exclude });
    } catch (error) {
      const { code } = toWeirError(error);
      if (code === 'no_endpoint' || code === 'unknown_channel' || code === 'not_ready') return undefined;
      throw error;
    }
  }

  #avoidedNow(): ServerOrigin[] {
    const now = this.context.now();
    for (const [server, until] of this.#avoided) if (until <= now) this.#avoided.delete(server);
    return [...this.#avoided.keys()];
  }

  /** The present endpoint, unless its registration is gone. */
  #registered(): Attachment | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const { address } = current.pick.endpoint;
    const channel = this.context.store.channel(this.name.channel);
    if (channel?.endpoints.some((endpoint) => endpoint.address === address) === true) return current;
    this.#drop(current, 'gone');
    return undefined;
  }

  #wantsToMove(current: Attachment): boolean {
    const { now, settings, balancer } = this.context;
    if (now() - this.#movedAt < settings.switchInterval) return false;
    return !balancer.stays(current.pick);
  }

  #drop(attachment: Attachment, cause: SwitchCause): void {
    if (this.#current !== attachment) return;
    this.#current = undefined;
    this.moves += 1;
    this.#leftFor = { cause, from: attachment.pick.endpoint.address };
    attachment.release('abandoned');
    this.expire();
  }

  /** The next request of a player asks anew. */
  expire(): void {
    for (const rendition of this.#renditions.values()) rendition.expire();
  }

  /** An endpoint failed: it is left, if it is the present one, and avoided while there is another. */
  failed(attachment: Attachment, cause: SwitchCause, outcome: Failure | 'abandoned' | 'success'): void {
    const { now, settings } = this.context;
    attachment.release(outcome);
    this.#avoided.set(attachment.pick.server, now() + settings.avoidFailed);
    this.#drop(attachment, cause);
  }

  /**
   * The endpoint has given a good playlist: from now on it is the session's.
   *
   * @param problem why the present one is left, if it was not for its score
   */
  settle(attachment: Attachment, problem: Problem | undefined): void {
    attachment.pick.firstByte();
    if (this.#current === attachment) return;
    if (this.#current !== undefined && problem !== undefined) {
      this.failed(this.#current, problem.cause, problem.outcome);
    }
    const before = this.#current;
    const cause: SwitchCause = 'score';
    const from = before?.pick.endpoint.address ?? this.#leftFor?.from;
    const to = attachment.pick.endpoint.address;
    before?.release('success');
    this.#current = attachment;
    this.moves += 1;
    this.epoch = this.epochAt(attachment);
    this.#leftFor ??= { cause, from: from ?? to };
    if (from !== undefined && from !== to) this.#noteSwitch(this.#leftFor.cause, from, to);
    this.#leftFor = undefined;
  }

  #noteSwitch(cause: SwitchCause, from: string, to: string): void {
    const { metrics, logger, now, clock } = this.context;
    this.#movedAt = now();
    this.lastSwitch = { at: clock(), cause, from, to };
    metrics.hlsSwitches.inc({ cause });
    logger.info({ channel: this.name.channel, cause, from, to }, 'hls session switched');
    this.expire();
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
    if (this.#current?.tag === tag) return true;
    return !this.#avoidedNow().includes(serverOf(endpoint.address));
  }

  endpointOf(tag: string): Endpoint | undefined {
    const channel = this.context.store.channel(this.name.channel);
    return channel?.endpoints.find((endpoint) => this.context.tagOf(endpoint.address) === tag);
  }

  key(target: string): string {
    return objectKey(this.name.partition, target);
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
        const url = origin.url(rest, '');
        if (pin?.original !== undefined) url.pathname = pin.original;
        url.search = [url.search.slice(1), origins, own].filter((part) => part !== '').join('&');
        return url;
      },
      range,
      firstByteTimeout: pin?.held === true ? heldFactor * firstByteTimeout : firstByteTimeout,
      retries,
    });
  }

  /** The endpoint of the pin while it is registered, then the present one, then any. */
  #place(pin: Pin | undefined, via: Attachment | undefined, failed: readonly ServerOrigin[]): Place {
    if (via !== undefined) return { origin: via.origin, pick: undefined };
    const current = this.#registered();
    if (pin !== undefined) {
      if (pin.endpoint === current?.tag) return { origin: current.origin, pick: undefined };
      const endpoint = this.endpointOf(pin.endpoint);
      if (endpoint !== undefined) return { origin: this.#createOrigin(endpoint), pick: undefined };
    }
    const pick = this.context.balancer.pick(this.name.channel, { sticky: true, exclude: failed });
    const isCurrent = pick.endpoint.address === current?.pick.endpoint.address;
    return { origin: isCurrent && current !== undefined ? current.origin : this.#createOrigin(pick.endpoint), pick };
  }

  #createOrigin({ address }: Endpoint): Origin {
    return createOrigin(address, this.name, this.context);
  }

  /** An object that the present endpoint lists is not there, or ended short. */
  objectFailed(target: string, error: WeirError | undefined): void {
    const current = this.#current;
    if (current === undefined) return;
    const listed = [...this.#renditions.values()].some((rendition) => rendition.lists(target, current.tag));
    if (listed) this.failed(current, 'segment', error === undefined ? 'bad_status' : failureOf(error));
  }

  /** For another process that goes on with it; undefined while there is nothing to go on with. */
  stateFor(key: string): SessionState | undefined {
    const { now, clock } = this.context;
    const renditions = [...this.#renditions.values()].flatMap((rendition) => rendition.state(clock() - now()) ?? []);
    if (this.epoch === undefined || renditions.length === 0) return undefined;
    const endpoint = this.endpoint?.address;
    return { key, channel: this.name.channel, endpoint, epoch: this.epoch, renditions };
  }

  /** Goes on where another process stopped. Only for a session that was not used yet. */
  restore({ endpoint: address, epoch, renditions }: SessionState): void {
    const { balancer, store, now, clock } = this.context;
    this.epoch = epoch;
    for (const state of renditions) {
      const rendition = this.rendition(state.rest, state);
      rendition.restore(shiftTimes(state.window, now() - clock()));
    }
    const endpoint = store.channel(this.name.channel)?.endpoints.find((one) => one.address === address);
    if (endpoint !== undefined) balancer.stick(endpoint);
  }

  /** Nobody asks any more: the endpoint is let go, the numbers are kept. */
  rest(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#leftFor = { cause: 'score', from: current.pick.endpoint.address };
    this.#current = undefined;
    this.moves += 1;
    current.release('success');
  }
}
