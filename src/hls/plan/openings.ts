// Where a presentation goes on that its plan says nothing of: the first plan of a channel, another endpoint, another incarnation, a
// playlist that has not entered the present period. Each is the plan as this edge wants it. Pure.

import type { MediaPlaylist } from '../playlist/model.js';
import { originDiscontinuity, type StepContext } from '../presentation/advance.js';
import { incarnationKey, type MediaWindow } from '../presentation/live-window.js';
import { chooseSplicePoint, firstSequence, lastSequence, sharesPackaging } from '../presentation/splice.js';
import { appendPeriod, behindAll, nextNumber, withStretch } from './changes.js';
import { agreedNumberOf, maxRecent, type Plan, type PlanPeriod, presentOf, recentOf, type Stretch } from './plan.js';
import { baseOf, lastRun, measure, sisterOf, stretchFrom, topOf } from './stretches.js';

/** Whose step it is, and under which plan. */
export interface PlanContext {
  /** undefined: the channel has none yet. */
  readonly plan: Plan | undefined;
  /** `listName` of the playlist. */
  readonly list: string;
  /** The endpoint that gave the playlist, as its pin names it. */
  readonly source: string;
  /** The name of this edge. */
  readonly edge: string;
  /** Epoch ms. */
  readonly clockMs: number;
}

/** waits: the origin has nothing yet that should follow. apart: this edge has no part in the plan. */
export type Opening = Plan | 'waits' | 'apart';

/** The channel has no plan: what players of this edge see already is the first of it. */
export function begin(
  context: PlanContext,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): Opening {
  const { source, edge, list, clockMs } = context;
  const number = nextNumber(undefined, clockMs);
  const period = { number, source, incarnation: '', base: 0, shared: false, by: edge, at: clockMs };
  if (window !== undefined && goesOn(window, source)) {
    const run = lastRun(window);
    const stretch = { ...measure(playlist, run.from, number, clockMs), ...run, state: 'firm' as const };
    const { incarnation } = window;
    const plan = appendPeriod(undefined, { ...period, incarnation, base: baseOf(window, playlist) }, list, stretch);
    return plan;
  }
  if (window !== undefined) return moveOn(context, window, playlist, step, undefined);
  const stretch: Stretch = {
    ...stretchFrom(playlist, 0, number, clockMs),
    first: firstSequence(playlist),
    discontinuity: Math.max(originDiscontinuity(playlist, 0), playlist.segments[0]?.discontinuity ? 1 : 0),
    tagged: playlist.segments[0]?.discontinuity === true,
    state: 'firm',
  };
  return appendPeriod(undefined, period, list, stretch);
}

/** Whether that endpoint goes on with the numbers that the window has. */
function goesOn(window: MediaWindow, source: string): boolean {
  return window.source === source;
}

/**
 * The presentation goes on with another endpoint, or with another incarnation of the same.
 *
 * @param restarted the name of that incarnation
 */
export function moveOn(
  context: PlanContext,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
  restarted: string | undefined,
): Opening {
  const { plan, list, source, edge, clockMs } = context;
  const lately = plan === undefined ? [] : recentOf(plan, clockMs);
  if (lately.filter(({ by }) => by === edge).length >= maxRecent) return 'apart';
  const number = nextNumber(plan, clockMs);
  const common = { number, source, by: edge, at: clockMs };
  const known = restarted ?? plan?.periods.findLast((period) => period.source === source)?.incarnation ?? '';
  const put = (period: Omit<PlanPeriod, keyof typeof common>, stretch: Stretch) =>
    appendPeriod(plan, { ...common, ...period }, list, behindAll(plan, list, stretch));
  const last = window?.entries.at(-1);
  if (window === undefined || last === undefined) {
    const discontinuity = plan === undefined ? 0 : topOf(plan) + 1;
    const stretch = unseen(context, playlist, {
      number,
      discontinuity,
      index: Math.max(0, playlist.segments.length - 3),
    });
    const base = discontinuity - originDiscontinuity(playlist, stretch.from - firstSequence(playlist));
    return put({ incarnation: known, base, shared: false }, stretch);
  }
  // Else others have shown something in between.
  const isNewest =
    restarted === undefined && (plan === undefined || agreedNumberOf(window.period) === presentOf(plan).number);
  const goesOnAlone = isNewest && goesOn(window, source);
  const shares = isNewest && !step.bytesDiffer && mayShare(window, source, known, playlist, step.now);
  if (goesOnAlone || shares) {
    const stretch: Stretch = {
      ...measure(playlist, window.origin.last + 1, number, clockMs),
      first: last.sequence + 1,
      discontinuity: last.discontinuitySequence,
      tagged: false,
      state: 'open',
    };
    const incarnation = goesOnAlone ? window.incarnation : known;
    return put({ incarnation, base: baseOf(window, playlist), shared: true }, stretch);
  }
  const listed = window.listed.get(incarnationKey(source, known)) ?? -1;
  const incarnation = restarted === undefined && lastSequence(playlist) < listed ? step.nextIncarnation : known;
  const index = chooseSplicePoint(window, playlist, { source, incarnation, agreed: undefined }, step.now);
  const discontinuity = Math.max(plan === undefined ? 0 : topOf(plan), last.discontinuitySequence) + 1;
  if (index === undefined) return 'waits';
  const base = discontinuity - originDiscontinuity(playlist, index);
  return put(
    { incarnation, base, shared: false },
    {
      ...stretchFrom(playlist, index, number, clockMs),
      first: last.sequence + 1,
      discontinuity,
      tagged: true,
      state: 'open',
    },
  );
}

/** Segments that the origin listed before under numbers of its own cannot be listed under these. */
function mayShare(window: MediaWindow, source: string, incarnation: string, playlist: MediaPlaylist, now: number) {
  const listed = window.listed.get(incarnationKey(source, incarnation)) ?? -1;
  return listed <= window.origin.last && sharesPackaging(window, playlist, now);
}

/** The playlist goes over to the period that others have gone over to. */
export function enter(
  context: PlanContext,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): Opening {
  const { plan, list, source, clockMs } = context;
  if (plan === undefined) return 'apart';
  const { number, incarnation, base, shared } = presentOf(plan);
  const sister = sisterOf(plan);
  const put = (stretch: Stretch) => withStretch(plan, list, behindAll(plan, list, stretch)) ?? 'apart';
  const last = window?.entries.at(-1);
  if (window === undefined || last === undefined) {
    const at = sister === undefined ? -1 : sister.from - firstSequence(playlist);
    const index = at >= 0 && at < playlist.segments.length ? at : 0;
    const discontinuity = Math.max(0, base + originDiscontinuity(playlist, index));
    return put(unseen(context, playlist, { number, discontinuity, index, sister }));
  }
  if (!plan.lists.has(list) && goesOn(window, source)) {
    const run = lastRun(window);
    return put({ ...measure(playlist, run.from, number, clockMs), ...run, state: 'firm' });
  }
  if (shared && mayShare(window, source, incarnation, playlist, step.now)) {
    return put({
      ...measure(playlist, window.origin.last + 1, number, clockMs),
      first: last.sequence + 1,
      discontinuity: last.discontinuitySequence,
      tagged: false,
      state: 'open',
    });
  }
  const agreed =
    sister === undefined
      ? undefined
      : {
          sequence: sister.from,
          clockMs: sister.clockMs,
          behindSeconds: sister.behindSeconds,
          at: step.now - Math.max(0, clockMs - sister.at),
        };
  const index = chooseSplicePoint(window, playlist, { source, incarnation, agreed }, step.now);
  if (index === undefined) return 'waits';
  return put({
    ...stretchFrom(playlist, index, number, clockMs),
    first: last.sequence + 1,
    discontinuity: Math.max(base + originDiscontinuity(playlist, index), last.discontinuitySequence + 1),
    tagged: true,
    state: 'open',
  });
}

/** Segments at hand by which a guess is too high rather than too low. */
const guessMargin = 2;

/**
 * Where a playlist goes on of which this edge has seen nothing. What the fleet has listed of it so far is guessed by the
 * time: an edge that knows puts it right while the stretch is open.
 */
function unseen(
  { plan, list, clockMs }: PlanContext,
  playlist: MediaPlaylist,
  {
    number,
    discontinuity,
    index,
    sister,
  }: { number: number; discontinuity: number; index: number; sister?: Stretch | undefined },
): Stretch {
  const before = plan?.lists.get(list)?.at(-1);
  const begun = stretchFrom(playlist, index, number, clockMs);
  if (before === undefined) {
    const offset = sister === undefined ? 0 : sister.first - sister.from;
    return {
      ...begun,
      first: Math.max(0, begun.from + offset),
      discontinuity,
      tagged: (plan?.periods.length ?? 0) > 1,
      state: 'firm',
    };
  }
  const elapsed = Math.max(0, clockMs - before.at) / 1000 + before.behindSeconds;
  const listed = Math.ceil(elapsed / Math.max(0.1, before.segmentSeconds)) + guessMargin;
  return {
    ...begun,
    first: before.first + listed,
    discontinuity: Math.max(discontinuity, before.discontinuity + 1),
    tagged: true,
    state: 'guess',
  };
}
