// The states, events and effects of the failover. `P` is a pull, whose inside the failover does not know.

import type { Outcome } from '../../balancer/policy.js';
import type { WeirError } from '../../errors.js';
import type { PullFault, Readiness } from './pull.js';
import { type Trouble, wantsPicture } from './trouble.js';

/** Why a pull that delivers is to be left for another. */
export type LeaveCause = 'deregistered' | 'moved' | 'draining' | 'no_keyframe';
/** Why a relay went over to another pull: a label of metrics. */
export type FailoverCause = PullFault | LeaveCause;
/**
 * What the registry says of the endpoint that delivers. `moved`: another worker has the channel now, or had it before.
 * `draining`: it is registered, and asks to be left.
 */
export type RegistrationStatus = 'registered' | 'deregistered' | 'moved' | 'draining';

/** How the next pull is looked for. `choosing` lasts until `picked` or `nobody` answers the effect `choose`. */
export type Search<P> =
  | { readonly step: 'choosing' }
  | { readonly step: 'trying'; readonly pull: P }
  | { readonly step: 'pausing'; readonly forMs: number };

interface Searching<P> {
  readonly search: Search<P>;
  readonly trouble: Trouble;
}
/** Nothing was delivered yet. */
interface Starting<P> extends Searching<P> {
  readonly phase: 'starting';
  readonly lastError: WeirError | undefined;
}
interface Live<P> {
  readonly phase: 'live';
  readonly pull: P;
  readonly trouble: Trouble;
}
/** `pull` delivers, and is left as soon as there is another. */
export interface Leaving<P> extends Searching<P> {
  readonly phase: 'leaving';
  readonly pull: P;
  readonly cause: LeaveCause;
}
/** Nobody delivers; viewers are held. */
interface Holding<P> extends Searching<P> {
  readonly phase: 'holding';
  readonly cause: FailoverCause;
}
/** Where the failover stands. `idle` is before the start, `over` is for good. */
export type FailoverState<P> =
  | { readonly phase: 'idle' }
  | Starting<P>
  | Live<P>
  | Leaving<P>
  | Holding<P>
  | { readonly phase: 'over' };

/** What happened. */
export type FailoverEvent<P> =
  | { readonly on: 'start' }
  /** The answer to `choose`: this pull was begun. */
  | { readonly on: 'picked'; readonly pull: P }
  /** The answer to `choose`: there is nobody. `mayPass`: another try in a moment may find somebody. */
  | { readonly on: 'nobody'; readonly error: WeirError; readonly mayPass: boolean }
  /** A pull on trial can take over: it has what `demandOf` asks for. */
  | { readonly on: 'ready'; readonly pull: P }
  /** It ended by itself. `isFinal`: whoever delivered it says that no other one will. */
  | {
      readonly on: 'failed';
      readonly pull: P;
      readonly fault: PullFault;
      readonly error: WeirError;
      readonly isFinal: boolean;
    }
  /** Its pictures come without a keyframe for too long. One on trial can be started with all the same. */
  | { readonly on: 'overdue'; readonly pull: P }
  /** The pull that delivers brought a keyframe. Worth telling if `awaitsKeyframe`. */
  | { readonly on: 'keyframe' }
  /** The pull that delivers brought a picture that viewers had not got before. Worth telling if `awaitsPicture`. */
  | { readonly on: 'picture' }
  /** The endpoints of the channel changed. What is said of a pull that there is not is of no meaning. */
  | { readonly on: 'registry'; readonly current: RegistrationStatus; readonly isCandidateRegistered: boolean }
  /** The pause that the state asks for is over. */
  | { readonly on: 'pause_over' }
  /** The grace that began with `graceOf` is over. */
  | { readonly on: 'grace_over' }
  | { readonly on: 'close' };

/** What has to be done. */
export type Effect<P> =
  /** Pick an endpoint that has not failed, other than that of `besides`, and begin a pull; or say that there is nobody. */
  | { readonly do: 'choose'; readonly besides: P | undefined; readonly retryOf: WeirError | undefined }
  | { readonly do: 'leave'; readonly pull: P; readonly outcome: Outcome }
  /** Viewers get this pull from now on. */
  | { readonly do: 'splice'; readonly pull: P; readonly cause: FailoverCause | undefined }
  /** Viewers get nothing for the time being. */
  | { readonly do: 'hold'; readonly cause: FailoverCause }
  /** Say again whether the pull on trial is ready: less is asked of it now. */
  | { readonly do: 'consider'; readonly pull: P }
  /** The endpoint of this pull has failed. */
  | { readonly do: 'blame'; readonly pull: P }
  /** Whoever failed may be chosen again. */
  | { readonly do: 'pardon' }
  /** It is over, by `error`, or because it was closed. */
  | { readonly do: 'end'; readonly error: WeirError | undefined };

/** What an event makes of a state. */
export interface FailoverStep<P> {
  readonly state: FailoverState<P>;
  /** To be done in this order, all of them before the next event is taken. */
  readonly effects: readonly Effect<P>[];
}

/** A next pull is looked for. */
export const isSearching = <P>(state: FailoverState<P>): state is Starting<P> | Leaving<P> | Holding<P> =>
  'search' in state;

/** The pull that delivers. */
export function currentOf<P>(state: FailoverState<P>): P | undefined {
  return state.phase === 'live' || state.phase === 'leaving' ? state.pull : undefined;
}

/** The pull on trial. */
export function candidateOf<P>(state: FailoverState<P>): P | undefined {
  return isSearching(state) && state.search.step === 'trying' ? state.search.pull : undefined;
}

/** Something was delivered once, so that there are viewers to hold. */
export function wasLive<P>(state: FailoverState<P>): boolean {
  return state.phase === 'live' || state.phase === 'leaving' || state.phase === 'holding';
}

/**
 * What a pull on trial has to have before it takes over. The first one does when a viewer can start with it; a successor
 * when its opening burst is over, and while the old one still delivers only with something new.
 */
export function demandOf<P>(state: FailoverState<P>): Readiness {
  if (state.phase === 'leaving') return 'live_edge';
  return state.phase === 'holding' ? 'settled' : 'startable';
}

/** Whether a keyframe would change anything. */
export function awaitsKeyframe<P>(state: FailoverState<P>): boolean {
  return state.phase === 'leaving' && state.cause === 'no_keyframe';
}

/** Whether a new picture would change anything. */
export function awaitsPicture<P>(state: FailoverState<P>): boolean {
  return (state.phase === 'live' || state.phase === 'leaving') && wantsPicture(state.trouble);
}

/** ms to pause before `pause_over`; undefined: no pause. */
export function pauseOf<P>(state: FailoverState<P>): number | undefined {
  return isSearching(state) && state.search.step === 'pausing' ? state.search.forMs : undefined;
}

/** Monotonic ms since which the grace runs that `grace_over` ends; undefined: it does not run. */
export function graceOf<P>(state: FailoverState<P>): number | undefined {
  return state.phase === 'idle' || state.phase === 'over' ? undefined : state.trouble.grace?.since;
}
