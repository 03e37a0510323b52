// Which endpoint a session uses: the present one while it is registered and good enough. Also which endpoints are avoided
// after a failure, and when and why the session moved.

import type { Pick } from '../../balancer/balancer.js';
import { type Failure, toWeirError, WeirError } from '../../errors.js';
import type { Endpoint, ServerOrigin } from '../../model.js';
import { serverOf } from '../../net-address.js';
import type { ChannelPlan } from './channel-plan.js';
import { OriginLink } from './origin-link.js';
import type { PlayerTokens } from './player-tokens.js';
import type { SessionContext, SwitchCause } from './session-context.js';
import type { SessionName } from './session-name.js';

/** What is wrong with an endpoint that answers: a reason to try another one, but its answer can be used. */
export interface EndpointProblem {
  readonly cause: SwitchCause;
  readonly outcome: Failure | 'success' | 'abandoned';
}

export interface LastSwitch {
  /** Epoch ms. */
  readonly at: number;
  readonly cause: SwitchCause;
  readonly from: string;
  readonly to: string;
}

export interface EndpointChoiceOptions {
  readonly name: SessionName;
  readonly context: SessionContext;
  readonly tokens: PlayerTokens;
  /** What all edges follow; undefined: the session goes on by itself. */
  readonly plan?: ChannelPlan | undefined;
  /** The endpoint before is left: the next request of a player has to ask anew. */
  readonly left: () => void;
}

/** The endpoint of one session. It alone says which endpoint is the present one. */
export class EndpointChoice {
  /** Grows with every move: what was asked of another endpoint meanwhile does not count. */
  moves = 0;
  lastSwitch: LastSwitch | undefined;
  readonly #name: SessionName;
  readonly #context: SessionContext;
  readonly #tokens: PlayerTokens;
  readonly #plan: EndpointChoiceOptions['plan'];
  readonly #left: () => void;
  #current: OriginLink | undefined;
  #movedAt = Number.NEGATIVE_INFINITY;
  /** Why the endpoint before was left, until the next one is there. */
  #leftFor: { readonly cause: SwitchCause; readonly from: string } | undefined;
  readonly #avoided = new Map<ServerOrigin, number>();

  constructor({ name, context, tokens, plan, left }: EndpointChoiceOptions) {
    this.#plan = plan;
    this.#name = name;
    this.#context = context;
    this.#tokens = tokens;
    this.#left = left;
  }

  get current(): OriginLink | undefined {
    return this.#current;
  }

  /** Leaves the present endpoint when its registration is gone. @returns the one that remains the present one */
  dropIfGone(): OriginLink | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    if (this.#registrationsOf(current).length > 0) return current;
    this.#drop(current, 'gone');
    return undefined;
  }

  #registrationsOf({ pick }: OriginLink): readonly Endpoint[] {
    return this.#registered.filter(({ address }) => address === pick.endpoint.address);
  }

  #drains(link: OriginLink): boolean {
    const registrations = this.#registrationsOf(link);
    return registrations.length > 0 && registrations.every(({ draining }) => draining === true);
  }

  get #registered(): readonly Endpoint[] {
    return this.#context.store.channel(this.#name.channel)?.endpoints ?? [];
  }

  /** The registered endpoint with this tag. */
  endpointOf(tag: string): Endpoint | undefined {
    return this.#registered.find(({ address }) => this.#context.tagOf(address) === tag);
  }

  /** True when the endpoint with this tag is registered and has not failed lately. */
  reaches(tag: string): boolean {
    const endpoint = this.endpointOf(tag);
    if (endpoint === undefined) return false;
    return this.#current?.tag === tag || !this.avoids(serverOf(endpoint.address));
  }

  /**
   * The endpoint to ask next: the present one while it is registered and good enough, or a candidate that `settle`
   * makes the present one once it has shown itself.
   *
   * @param failed servers that failed in this refresh
   * @throws WeirError no_endpoint when there is none besides those
   */
  attach(failed: readonly ServerOrigin[]): OriginLink {
    const current = this.dropIfGone();
    const usable = current !== undefined && !failed.includes(current.pick.server);
    const mustMove = usable && this.#drains(current);
    const planned = this.#planned(failed);
    if (planned !== undefined && !(usable && current.pick.endpoint.address === planned.address)) {
      const followed = this.#follow(planned, failed);
      if (followed !== undefined) return followed;
    }
    // The edge that chose the endpoint for all looks for a better one.
    const mayMove = planned === undefined || this.#plan?.present?.by === this.#plan?.edge;
    if (usable && !mustMove && !(mayMove && this.#drawMove(current))) return current;
    const avoided = [...failed, ...this.#avoidedNow()];
    const left = this.#leftLately();
    const elsewhere = left.length === 0 ? undefined : this.#pick([...avoided, ...left]);
    const pick = elsewhere ?? this.#pick(avoided) ?? this.#pick(failed);
    if (pick === undefined) {
      if (usable) return current;
      throw new WeirError('no_endpoint');
    }
    const isBetter = !mustMove || pick.endpoint.draining !== true;
    if (usable && (!isBetter || pick.endpoint.address === current.pick.endpoint.address)) {
      pick.done('abandoned');
      return current;
    }
    return new OriginLink(pick, this.#name, this.#context);
  }

  /** The endpoint that the plan names, where this edge can use it. */
  #planned(failed: readonly ServerOrigin[]): Endpoint | undefined {
    const tag = this.#plan?.present?.source;
    const endpoint = tag === undefined ? undefined : this.endpointOf(tag);
    if (endpoint === undefined || endpoint.draining === true) return undefined;
    const server = serverOf(endpoint.address);
    return failed.includes(server) || this.avoids(server) ? undefined : endpoint;
  }

  /** Servers that the channel came from lately: edges that do not reach the same ones would move it to and fro. */
  #leftLately(): ServerOrigin[] {
    const tags = new Set(this.#plan?.lately);
    if (tags.size === 0) return [];
    return this.#registered
      .filter(({ address }) => tags.has(this.#context.tagOf(address)))
      .map(({ address }) => serverOf(address));
  }

  /** undefined: it cannot be picked now, since it was ejected. */
  #follow(planned: Endpoint, failed: readonly ServerOrigin[]): OriginLink | undefined {
    this.#context.balancer.stick(planned);
    const pick = this.#pick([...failed, ...this.#avoidedNow()]);
    if (pick?.endpoint.address === planned.address) return new OriginLink(pick, this.#name, this.#context);
    pick?.done('abandoned');
    return undefined;
  }

  #drawMove(current: OriginLink): boolean {
    const { now, settings, balancer } = this.#context;
    if (now() - this.#movedAt < settings.switchInterval) return false;
    return balancer.drawLeave(current.pick);
  }

  /** Whether there is another endpoint than these, not avoided, to be tried because of a problem that is no error. */
  hasAlternative(failed: readonly ServerOrigin[]): boolean {
    return this.#context.balancer.hasEligible(this.#name.channel, [...failed, ...this.#avoidedNow()]);
  }

  #pick(exclude: readonly ServerOrigin[]): Pick | undefined {
    // The channel's other sessions follow. A failure for one player's own query does not concern them.
    const sticky = exclude.length === 0 || this.#tokens.kind !== 'own';
    try {
      return this.#context.balancer.pick(this.#name.channel, { sticky, session: true, exclude });
    } catch (error) {
      const { code } = toWeirError(error);
      if (code === 'no_endpoint' || code === 'unknown_channel' || code === 'not_ready') return undefined;
      throw error;
    }
  }

  /** True for a server that failed lately. */
  avoids(server: ServerOrigin): boolean {
    return this.#avoidedNow().includes(server);
  }

  #avoidedNow(): ServerOrigin[] {
    const now = this.#context.now();
    for (const [server, until] of this.#avoided) if (until <= now) this.#avoided.delete(server);
    return [...this.#avoided.keys()];
  }

  /** An endpoint failed: it is left, if it is the present one, and avoided while there is another. */
  failed(link: OriginLink, cause: SwitchCause, outcome: Failure | 'abandoned' | 'success'): void {
    const { now, settings } = this.#context;
    link.release(outcome);
    this.#avoided.set(link.pick.server, now() + settings.avoidFailed);
    this.#drop(link, cause);
  }

  #drop(link: OriginLink, cause: SwitchCause): void {
    if (this.#current !== link) return;
    this.#leave(link, cause);
    link.release('abandoned');
    this.#left();
  }

  #leave(link: OriginLink, cause: SwitchCause): void {
    this.#current = undefined;
    this.moves += 1;
    this.#leftFor = { cause, from: link.pick.endpoint.address };
  }

  /**
   * The endpoint has given a good playlist: from now on it is the present one.
   *
   * @param problem why the one before is left, if it was not for its score
   * @returns whether it was another one before
   */
  settle(link: OriginLink, problem: EndpointProblem | undefined): boolean {
    link.pick.firstByte();
    if (this.#current === link) return false;
    if (this.#current !== undefined && problem !== undefined) {
      this.failed(this.#current, problem.cause, problem.outcome);
    }
    const before = this.#current;
    const from = before?.pick.endpoint.address ?? this.#leftFor?.from;
    const to = link.pick.endpoint.address;
    const cause = before !== undefined && this.#drains(before) ? 'draining' : 'score';
    before?.release('success');
    this.#current = link;
    this.moves += 1;
    if (from !== undefined && from !== to) this.#noteSwitch(this.#leftFor?.cause ?? cause, from, to);
    this.#leftFor = undefined;
    return true;
  }

  #noteSwitch(cause: SwitchCause, from: string, to: string): void {
    const { metrics, logger, now, clock } = this.#context;
    this.#movedAt = now();
    this.lastSwitch = { at: clock(), cause, from, to };
    metrics.hlsSwitches.inc({ cause });
    logger.info({ channel: this.#name.channel, cause, from, to }, 'hls session switched');
    this.#left();
  }

  /** No player asks any more: the endpoint is released. */
  release(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#leave(current, 'score');
    current.release('success');
  }
}
