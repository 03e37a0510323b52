// The periods that a session's playlists pass through. Only this file says which period holds. A refresh proposes what
// players see next, and commits it once the endpoint is the session's.

import type { MediaPlaylist } from '../playlist/model.js';
import { advance, type StepContext, type Stepped } from '../presentation/advance.js';
import type { MediaWindow } from '../presentation/live-window.js';
import { firstPeriod, isSamePeriod, moveTo, type Period } from '../presentation/period.js';

/** A media playlist that an endpoint gave, with the state that it is applied to. */
export interface Arrived {
  /** The endpoint, as its pin names it. */
  readonly source: string;
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
}

/** The periods of one session. */
export class PeriodTimeline {
  #period: Period | undefined;

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
    this.#period = this.periodAt(source);
  }

  /**
   * Computes what players see after that playlist. Changes nothing.
   *
   * @throws WeirError upstream_bad_response for a playlist that comes to more text than one may have
   */
  propose(arrived: Arrived): Proposal {
    const basis = this.periodAt(arrived.source);
    return { ...arrived, basis, stepped: advance(basis, arrived.window, arrived.playlist, arrived.step) };
  }

  /** @returns false, and changes nothing, when the period moved on since the proposal: it has to be made again */
  commit({ source, basis, stepped }: Proposal): boolean {
    if (!isSamePeriod(this.periodAt(source), basis)) return false;
    this.#period = stepped.period;
    return true;
  }

  /** Goes on where another process stopped. */
  restore(period: Period): void {
    this.#period = period;
  }
}
