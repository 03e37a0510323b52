// Pure: which pull delivers, which one follows it, and when the stream is over. A state machine: an event goes in; the next
// state and the effects come out. It knows no timer and no network.
//
//   idle ─ start → starting ─ ready → live ─ failed → holding ─ ready → live
//                          live ─ deregistered, moved, draining, keyframe overdue → leaving ─ ready, stays → live
//                                                                                     leaving ─ failed → holding
//   any ─ given up, close → over
//
// In every state but idle, live and over a next pull is looked for: chosen, tried, or waited for. So none is a dead end.

import { WeirError } from '../../errors.js';
import {
  candidateOf,
  currentOf,
  type Effect,
  type FailoverEvent,
  type FailoverState,
  type FailoverStep,
  graceOf,
  isSearching,
  type Leaving,
  pauseOf,
  type RegistrationStatus,
  type Search,
} from './failover-state.js';
import {
  afterPause,
  hasLivedLong,
  noTrouble,
  onTrial,
  settled,
  withGrace,
  withGraceOver,
  withPicture,
} from './trouble.js';

const choosing: Search<never> = { step: 'choosing' };
const over: FailoverState<never> = { phase: 'over' };
const unchanged = <P>(state: FailoverState<P>): FailoverStep<P> => ({ state, effects: [] });
/** What delivers goes on as long as it does: nothing ends because nobody else is found. */
const isDraining = <P>(state: FailoverState<P>) => state.phase === 'leaving' && state.cause === 'draining';
const isDeregistered = <P>(state: FailoverState<P>) => state.phase === 'leaving' && state.cause === 'deregistered';

/**
 * The next state and the effects of an event. An event that does not fit the state, such as a late timer, changes nothing; a
 * pull that is not wanted any more is left.
 *
 * @param now monotonic ms
 */
export function next<P>(state: FailoverState<P>, event: FailoverEvent<P>, now: number): FailoverStep<P> {
  switch (event.on) {
    case 'start':
      if (state.phase !== 'idle') return unchanged(state);
      return choose({ phase: 'starting', search: choosing, trouble: noTrouble, lastError: undefined });
    case 'picked':
      return picked(state, event.pull);
    case 'nobody':
      return nobody(state, event.error, event.mayPass);
    case 'ready':
      return candidateOf(state) === event.pull ? take(state, event.pull, now) : unchanged(state);
    case 'failed':
      if (candidateOf(state) === event.pull) return candidateFailed(state, event.pull, event.error);
      return currentOf(state) === event.pull ? currentFailed(state, event, now) : unchanged(state);
    case 'overdue':
      // Its own cache had a keyframe: better than none.
      if (candidateOf(state) === event.pull) return take(state, event.pull, now);
      if (state.phase !== 'live' || state.pull !== event.pull) return unchanged(state);
      return choose({ ...state, phase: 'leaving', cause: 'no_keyframe', search: choosing });
    case 'keyframe':
      return state.phase === 'leaving' && state.cause === 'no_keyframe' ? stay(state, now) : unchanged(state);
    case 'picture': {
      if (state.phase !== 'live' && state.phase !== 'leaving') return unchanged(state);
      const trouble = settled(withPicture(state.trouble), now, isDeregistered(state));
      return unchanged({ ...state, trouble });
    }
    case 'registry':
      return registryChanged(state, event.current, event.isCandidateRegistered, now);
    case 'pause_over':
      return pauseOf(state) === undefined ? unchanged(state) : choose(state);
    case 'grace_over':
      return graceOver(state);
    case 'close':
      return end(state, undefined);
  }
}

/** Looks for another one, where none is chosen or tried yet. */
function choose<P>(state: FailoverState<P>, retryOf?: WeirError): FailoverStep<P> {
  if (!isSearching(state)) return unchanged(state);
  // To leave a pull for itself would mend nothing.
  const isRegistered = state.phase === 'leaving' && (state.cause === 'no_keyframe' || state.cause === 'draining');
  const besides = isRegistered ? state.pull : undefined;
  return { state: { ...state, search: choosing }, effects: [{ do: 'choose', besides, retryOf }] };
}

function picked<P>(state: FailoverState<P>, pull: P): FailoverStep<P> {
  const isAwaited = isSearching(state) && state.search.step === 'choosing';
  if (!isAwaited) return { state, effects: [{ do: 'leave', pull, outcome: 'abandoned' }] };
  return unchanged({ ...state, search: { step: 'trying', pull } });
}

/** Those who failed get another chance after a pause; a deregistered channel is waited for. */
function nobody<P>(state: FailoverState<P>, error: WeirError, mayPass: boolean): FailoverStep<P> {
  if (!isSearching(state) || state.search.step !== 'choosing') return unchanged(state);
  if (state.phase === 'leaving' && state.cause === 'no_keyframe') {
    return unchanged({ phase: 'live', pull: state.pull, trouble: state.trouble });
  }
  // Whoever waits for the first tag has a deadline of its own.
  if (state.phase === 'starting' && !mayPass) return end(state, state.lastError ?? error);
  if (state.trouble.grace?.isOver === true && !isDraining(state)) return end(state, new WeirError('no_endpoint'));
  const search = { step: 'pausing', forMs: state.trouble.backoffMs } as const;
  return { state: { ...state, search, trouble: afterPause(state.trouble) }, effects: [{ do: 'pardon' }] };
}

function take<P>(state: FailoverState<P>, pull: P, now: number): FailoverStep<P> {
  if (!isSearching(state)) return unchanged(state);
  const effects: Effect<P>[] = [];
  if (state.phase === 'leaving') {
    const outcome = state.cause === 'no_keyframe' ? 'stall' : 'success';
    effects.push({ do: 'leave', pull: state.pull, outcome });
  }
  effects.push({ do: 'splice', pull, cause: state.phase === 'starting' ? undefined : state.cause });
  return { state: { phase: 'live', pull, trouble: onTrial(state.trouble, now) }, effects };
}

function candidateFailed<P>(state: FailoverState<P>, pull: P, error: WeirError): FailoverStep<P> {
  const { state: after, effects } = choose(state.phase === 'starting' ? { ...state, lastError: error } : state, error);
  return { state: after, effects: [{ do: 'blame', pull }, ...effects] };
}

function currentFailed<P>(
  state: FailoverState<P>,
  { pull, fault, error, isFinal }: Extract<FailoverEvent<P>, { on: 'failed' }>,
  now: number,
): FailoverStep<P> {
  if (state.phase !== 'live' && state.phase !== 'leaving') return unchanged(state);
  if (isFinal) return end(state, error, pull);
  const cause = state.phase === 'leaving' ? state.cause : fault;
  const trouble = withGrace(settled(state.trouble, now, isDeregistered(state)), now);
  const effects: Effect<P>[] = hasLivedLong(state.trouble, now) ? [{ do: 'pardon' }] : [];
  effects.push({ do: 'blame', pull }, { do: 'hold', cause });
  const search = state.phase === 'leaving' ? state.search : undefined;
  const held = { phase: 'holding', cause, trouble, search: search ?? choosing } as const;
  if (search?.step === 'trying') return { state: held, effects: [...effects, { do: 'consider', pull: search.pull }] };
  // Where one is being chosen, the answer is yet to come.
  if (search?.step === 'choosing') return { state: held, effects };
  const { state: after, effects: more } = choose(held);
  return { state: after, effects: [...effects, ...more] };
}

function registryChanged<P>(
  state: FailoverState<P>,
  current: RegistrationStatus,
  isCandidateRegistered: boolean,
  now: number,
): FailoverStep<P> {
  if (state.phase === 'idle' || state.phase === 'over') return unchanged(state);
  if (currentOf(state) !== undefined && current === 'registered') {
    if (state.phase === 'live') return unchanged(state);
    // It was registered again before another one took over.
    if (state.phase === 'leaving' && state.cause !== 'no_keyframe') return stay(state, now);
  }
  if (state.phase === 'live') {
    // Sound alone shows no new picture: what it proved by delivering for long counts from here.
    const trouble = settled(state.trouble, now);
    const leaving = { ...state, trouble, phase: 'leaving', cause: 'deregistered', search: choosing } as const;
    const { state: after, effects } = choose(leavingFor(leaving, current, now));
    return { state: after, effects: hasLivedLong(state.trouble, now) ? [{ do: 'pardon' }, ...effects] : effects };
  }
  const candidate = candidateOf(state);
  const after = state.phase === 'leaving' ? leavingFor(state, current, now) : state;
  if (candidate !== undefined && isCandidateRegistered) return unchanged(after);
  if (candidate === undefined) return after.search.step === 'choosing' ? unchanged(after) : choose(after);
  const { state: chosen, effects } = choose(after);
  return { state: chosen, effects: [{ do: 'leave', pull: candidate, outcome: 'abandoned' }, ...effects] };
}

/** Viewers of an endpoint that left the registry are held for the grace. */
function leavingFor<P>(state: Leaving<P>, registration: RegistrationStatus, now: number): Leaving<P> {
  if (registration === 'registered') return state;
  const trouble = registration === 'deregistered' ? withGrace(state.trouble, now) : state.trouble;
  return { ...state, cause: registration, trouble };
}

/** What delivers is not left after all. */
function stay<P>(state: Leaving<P>, now: number): FailoverStep<P> {
  const candidate = candidateOf(state);
  return {
    state: { phase: 'live', pull: state.pull, trouble: settled(state.trouble, now) },
    effects: candidate === undefined ? [] : [{ do: 'leave', pull: candidate, outcome: 'abandoned' }],
  };
}

/** What delivers now may yet prove itself; when it fails, only endpoints that did not fail yet are tried. */
function graceOver<P>(state: FailoverState<P>): FailoverStep<P> {
  if (graceOf(state) === undefined || state.phase === 'idle' || state.phase === 'over') return unchanged(state);
  if (currentOf(state) === undefined || isDeregistered(state)) return end(state, new WeirError('no_endpoint'));
  return unchanged({ ...state, trouble: withGraceOver(state.trouble) });
}

/** @param failed a pull that ended by itself, and cannot be left */
function end<P>(state: FailoverState<P>, error: WeirError | undefined, failed?: P): FailoverStep<P> {
  if (state.phase === 'over') return unchanged(state);
  const effects: Effect<P>[] = [];
  const current = currentOf(state);
  const candidate = candidateOf(state);
  if (current !== undefined && current !== failed) effects.push({ do: 'leave', pull: current, outcome: 'success' });
  if (candidate !== undefined) effects.push({ do: 'leave', pull: candidate, outcome: 'abandoned' });
  effects.push({ do: 'end', error });
  return { state: over, effects };
}
