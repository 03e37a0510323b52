// Which endpoint a session is at: the present one while it is registered and good enough, which ones are avoided after a
// failure, and why and when it moved.

import { type Failure, toWeirError, WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { Attachment, type SessionName } from './attachment.js';
import type { Tokens } from './blame.js';
import type { SessionContext, SwitchCause } from './session-context.js';

/** What is wrong with an endpoint that answers: reason enough to try another one, none to go without. */
export interface Problem {
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

/** The session that an endpoint is chosen for. */
interface Chooser {
  readonly name: SessionName;
  readonly context: SessionContext;
  readonly tokens: Tokens;
  /** The next request of a player asks anew. */
  expire(): void;
}

export class EndpointChoice {
  /** Grows with every move: what was asked of another endpoint meanwhile does not count. */
  moves = 0;
  lastSwitch: LastSwitch | undefined;
  readonly #session: Chooser;
  #current: Attachment | undefined;
  #movedAt = Number.NEGATIVE_INFINITY;
  /** Why the endpoint before was left, until the next one is there. */
  #leftFor: { readonly cause: SwitchCause; readonly from: string } | undefined;
  readonly #avoided = new Map<ServerOrigin, number>();

  constructor(session: Chooser) {
    this.#session = session;
  }

  get current(): Attachment | undefined {
    return this.#current;
  }

  /** The present endpoint, unless its registration is gone. */
  registered(): Attachment | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const { address } = current.pick.endpoint;
    const channel = this.#session.context.store.channel(this.#session.name.channel);
    if (channel?.endpoints.some((endpoint) => endpoint.address === address) === true) return current;
    this.#drop(current, 'gone');
    return undefined;
  }

  /**
   * The endpoint to ask next: the present one while it is registered and good enough, or a candidate that `settle` makes the
   * present one once it has shown itself.
   *
   * @param failed servers that failed in this round
   * @throws WeirError no_endpoint when there is none besides those
   */
  attach(failed: readonly ServerOrigin[]): Attachment {
    const current = this.registered();
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
    return new Attachment(pick, this.#session.name, this.#session.context);
  }

  #wantsToMove(current: Attachment): boolean {
    const { now, settings, balancer } = this.#session.context;
    if (now() - this.#movedAt < settings.switchInterval) return false;
    return !balancer.stays(current.pick);
  }

  /** Another endpoint than these, not avoided, to be tried because of a problem that is no error; undefined: there is none. */
  hasAlternative(failed: readonly ServerOrigin[]): boolean {
    const pick = this.#pick([...failed, ...this.#avoidedNow()], false);
    pick?.done('abandoned');
    return pick !== undefined;
  }

  /** @param sticky whether the channel's other sessions follow */
  #pick(exclude: readonly ServerOrigin[], sticky = true) {
    // What failed for one player's own query says nothing to others.
    const follow = sticky && (exclude.length === 0 || this.#session.tokens !== 'own');
    try {
      return this.#session.context.balancer.pick(this.#session.name.channel, { sticky: follow, exclude });
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
    const now = this.#session.context.now();
    for (const [server, until] of this.#avoided) if (until <= now) this.#avoided.delete(server);
    return [...this.#avoided.keys()];
  }

  /** An endpoint failed: it is left, if it is the present one, and avoided while there is another. */
  failed(attachment: Attachment, cause: SwitchCause, outcome: Failure | 'abandoned' | 'success'): void {
    const { now, settings } = this.#session.context;
    attachment.release(outcome);
    this.#avoided.set(attachment.pick.server, now() + settings.avoidFailed);
    this.#drop(attachment, cause);
  }

  #drop(attachment: Attachment, cause: SwitchCause): void {
    if (this.#current !== attachment) return;
    this.#leave(attachment, cause);
    attachment.release('abandoned');
    this.#session.expire();
  }

  #leave(attachment: Attachment, cause: SwitchCause): void {
    this.#current = undefined;
    this.moves += 1;
    this.#leftFor = { cause, from: attachment.pick.endpoint.address };
  }

  /**
   * The endpoint has given a good playlist: from now on it is the present one.
   *
   * @param problem why the one before is left, if it was not for its score
   * @returns whether it was another one before
   */
  settle(attachment: Attachment, problem: Problem | undefined): boolean {
    attachment.pick.firstByte();
    if (this.#current === attachment) return false;
    if (this.#current !== undefined && problem !== undefined) {
      this.failed(this.#current, problem.cause, problem.outcome);
    }
    const before = this.#current;
    const from = before?.pick.endpoint.address ?? this.#leftFor?.from;
    const to = attachment.pick.endpoint.address;
    before?.release('success');
    this.#current = attachment;
    this.moves += 1;
    if (from !== undefined && from !== to) this.#noteSwitch(this.#leftFor?.cause ?? 'score', from, to);
    this.#leftFor = undefined;
    return true;
  }

  #noteSwitch(cause: SwitchCause, from: string, to: string): void {
    const { metrics, logger, now, clock } = this.#session.context;
    this.#movedAt = now();
    this.lastSwitch = { at: clock(), cause, from, to };
    metrics.hlsSwitches.inc({ cause });
    logger.info({ channel: this.#session.name.channel, cause, from, to }, 'hls session switched');
    this.#session.expire();
  }

  /** Nobody asks any more: the endpoint is let go. */
  rest(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#leave(current, 'score');
    current.release('success');
  }
}
