// The periods that a session's playlists pass through. Only this file says which period holds. A refresh proposes what
// players see next, and commits it once the endpoint is the session's and, where the channel has a plan, the plan says so.

import { settle } from '../plan/changes.js';
import { type Plan, presentOf } from '../plan/plan.js';
import { periodOf, planStep } from '../plan/step.js';
import type { MediaPlaylist } from '../playlist/model.js';
import { advance, type StepContext, type Stepped } from '../presentation/advance.js';
import type { MediaWindow } from '../presentation/live-window.js';
import { firstPeriod, isSamePeriod, moveTo, type Period } from '../presentation/period.js';
import type { ChannelPlan } from './channel-plan.js';

/** A media playlist that an endpoint gave, with the state that it is applied to. */
export interface Arrived {
  /** The endpoint, as its pin names it. */
  readonly source: string;
  /** `listName` of the playlist. */
  readonly list: string;
  /** What players saw last of this playlist. */
  readonly window: MediaWindow | undefined;
  readonly playlist: MediaPlaylist;
  readonly step: StepContext;
}

/** What players would see next, as long as nothing else happens to the session. */
export interface Proposal extends Arrived {
  /** The period that it was computed in. */
  readonly basis: Period;
  readonly stepped: Stepped;
  /** The plan that it was computed under; undefined: the session goes on by itself. */
  readonly under: UnderPlan | undefined;
}

interface UnderPlan {
  readonly version: number;
  /** What the plan has to say before this can be committed. */
  readonly wanted: Plan | undefined;
  /** Others may still say what they have listed. */
  readonly waits: boolean;
}

/** ms for which edges may say that they have listed beyond a new period's beginning. */
export const settleMs = 300;
/** ms after which a session goes on by itself when nothing was agreed. */
const agreementMs = 1_500;

/** The periods of one session. */
export class PeriodTimeline {
  readonly #plan: ChannelPlan | undefined;
  readonly #now: () => number;
  readonly #clock: () => number;
  #period: Period | undefined;

  /**
   * @param plan undefined: a session by itself
   * @param now monotonic ms
   * @param clock epoch ms
   */
  constructor(plan?: ChannelPlan, now: () => number = () => 0, clock: () => number = () => 0) {
    this.#plan = plan;
    this.#now = now;
    this.#clock = clock;
  }

  /** What the session's playlists have in common; undefined before the first one. */
  get period(): Period | undefined {
    return this.#period;
  }

  /** The period that holds, or would begin, with this endpoint. */
  periodAt(source: string): Period {
    const period = this.#period;
    if (period === undefined) return firstPeriod(source);
    return period.source === source ? period : moveTo(period, source);
  }

  /** The endpoint is the session's now. */
  enter(source: string): void {
    // Under a plan it is the plan that says which period holds.
    if (this.#plan?.plan !== undefined && presentOf(this.#plan.plan).source === source) return;
    this.#period = this.periodAt(source);
  }

  /**
   * Computes what players see after that playlist. Changes nothing.
   *
   * @throws WeirError upstream_bad_response for a playlist that comes to more text than one may have
   */
  propose(arrived: Arrived): Proposal {
    const basis = this.periodAt(arrived.source);
    const planned = this.#planned(arrived);
    if (planned !== undefined) return { ...arrived, basis, ...planned };
    const stepped = advance(basis, arrived.window, arrived.playlist, arrived.step);
    return { ...arrived, basis, stepped, under: undefined };
  }

  #planned({ source, list, window, playlist, step }: Arrived): Pick<Proposal, 'stepped' | 'under'> | undefined {
    const plan = this.#plan;
    if (plan?.isKnown !== true) return undefined;
    const context = { plan: plan.plan, list, source, edge: plan.edge, clockMs: this.#clock() };
    const planned = planStep(context, window, playlist, step);
    if (planned === 'apart') return undefined;
    const { stepped, wanted, waits } = planned;
    if ((wanted !== undefined || waits) && !plan.canAgree) return undefined;
    return { stepped, under: { version: plan.version, wanted, waits } };
  }

  /**
   * @returns false, and changes nothing, when the period moved on since the proposal, or the plan does not say so: it has
   *   to be made again
   */
  commit({ source, basis, stepped, under }: Proposal): boolean {
    if (under === undefined) {
      if (!isSamePeriod(this.periodAt(source), basis)) return false;
      this.#period = stepped.period;
      return true;
    }
    if (under.wanted !== undefined || under.version !== this.#plan?.version) return false;
    if (this.#plan.plan !== undefined) this.#period = periodOf(this.#plan.plan);
    return true;
  }

  /**
   * Waits until the plan says what was proposed, or something else that it can be computed under.
   *
   * @param again the same proposal anew
   * @param isAstray whether the plan names another endpoint by now
   * @returns undefined when it is to be computed from that endpoint
   */
  async agree(first: Proposal, again: () => Proposal, isAstray: () => boolean): Promise<Proposal | undefined> {
    const plan = this.#plan;
    let proposal = first;
    if (plan === undefined) return proposal;
    const until = this.#now() + agreementMs;
    for (;;) {
      const { under, list } = proposal;
      if (under === undefined || (under.wanted === undefined && !under.waits)) return proposal;
      if (isAstray()) return undefined;
      const left = until - this.#now();
      if (left <= 0) plan.goApart();
      if (left > 0 && plan.canAgree) {
        if (under.version !== plan.version) {
          // Something was heard since.
        } else if (under.wanted !== undefined) {
          plan.write(under.wanted);
          await plan.next(left);
        } else {
          const due = settleMs - plan.ageMs;
          const settled = due <= 0 && plan.plan !== undefined ? settle(plan.plan, list) : undefined;
          if (settled !== undefined) plan.write(settled);
          await plan.next(Math.min(left, settled === undefined ? Math.max(1, due) : left));
        }
      }
      proposal = again();
    }
  }

  /** Goes on where another process stopped. */
  restore(period: Period): void {
    this.#period = period;
  }
}
