// What players of this edge see next under the plan of their channel, and what the plan has to say before they can see it. Pure.

import type { MediaPlaylist } from '../playlist/model.js';
import { isOver, type StepContext, type Stepped } from '../presentation/advance.js';
import type { MediaWindow } from '../presentation/live-window.js';
import type { Period } from '../presentation/period.js';
import { relate } from '../presentation/splice.js';
import { withStretch } from './changes.js';
import { followPlan } from './follow.js';
import { begin, enter, moveOn, type Opening, type PlanContext } from './openings.js';
import { agreedNumberOf, type Plan, presentOf, presentStretches, type Stretch } from './plan.js';
import { stretchFrom, topOf } from './stretches.js';

export interface PlannedStep {
  /** What players see next; where `wanted` is there, once all edges can read that. */
  readonly stepped: Stepped;
  /** The plan that has to hold before. */
  readonly wanted: Plan | undefined;
  /** A stretch is open: nothing is listed until it is firm. */
  readonly waits: boolean;
}

/**
 * What players see after that playlist.
 *
 * @returns 'apart' when this edge cannot follow without a step back for its players, or has no room in the plan: it goes
 *   on by itself
 */
export function planStep(
  context: PlanContext,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): PlannedStep | 'apart' {
  const { plan, list, source } = context;
  if (playlist.segments.length === 0) return unchanged(context, window, 'empty');
  const propose = (opening: Opening) => proposed(context, opening, window, playlist, step);
  if (plan === undefined) return propose(begin(context, window, playlist, step));
  const present = presentOf(plan);
  const movedAlone =
    window !== undefined && window.period !== present.number && agreedNumberOf(window.period) === present.number;
  if (present.source !== source || movedAlone) return propose(moveOn(context, window, playlist, step, undefined));
  const [first] = presentStretches(plan, list);
  if (first === undefined) return propose(enter(context, window, playlist, step));
  if (first.state !== 'firm') return { ...unchanged(context, window, 'waiting'), waits: true };
  const offset = first.first - first.from;
  if (window?.period === present.number && window.source === source && window.offset === offset) {
    const relation = relate(window, playlist, step.now);
    if (relation === 'restarted' || (window.ended && !isOver(window, playlist)))
      return propose(moveOn(context, window, playlist, step, step.nextIncarnation));
    if (relation === 'behind') {
      const behind = { ...window, behindSince: window.behindSince ?? step.now };
      return unchanged(context, behind, 'behind');
    }
  }
  return follow(context, plan, window, playlist, step);
}

/** What all playlists of a session have in common under a plan; an edge that has to go on by itself goes on from it. */
export function periodOf(plan: Plan): Period {
  const { number, source, base, shared } = presentOf(plan);
  const incarnations = new Map<string, string>();
  for (const { source: known, incarnation } of plan.periods) {
    if (incarnation !== '') incarnations.set(known, incarnation);
  }
  const top = topOf(plan);
  return { number, source, incarnations, base, baseBefore: undefined, splicePoint: undefined, shared, top };
}

function unchanged(
  { plan, source }: PlanContext,
  window: MediaWindow | undefined,
  change: Stepped['change'],
): PlannedStep {
  const period: Period = plan === undefined ? nothingYet(source) : periodOf(plan);
  return { stepped: { change, period, window, appended: [] }, wanted: undefined, waits: false };
}

function nothingYet(source: string): Period {
  const none = { baseBefore: undefined, splicePoint: undefined, shared: undefined };
  return { number: 0, source, incarnations: new Map(), base: 0, top: -1, ...none };
}

/** Lists under a plan, which first has to say the discontinuities that its origin has. */
function follow(
  context: PlanContext,
  plan: Plan,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): PlannedStep | 'apart' {
  const marked = markDiscontinuities(plan, context, window, playlist);
  const stepped = followPlan(marked, periodOf(marked), context.list, window, playlist, step);
  if (stepped === 'apart') return stepped;
  return { stepped, wanted: marked === plan ? undefined : marked, waits: false };
}

/** What would be seen once that plan holds, whatever is still open in it. */
function proposed(
  context: PlanContext,
  wanted: Opening,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): PlannedStep | 'apart' {
  if (wanted === 'apart') return wanted;
  if (wanted === 'waits') return unchanged(context, window, 'waiting');
  const followed = follow(context, wanted, window, playlist, step);
  return followed === 'apart' ? followed : { ...followed, wanted: followed.wanted ?? wanted };
}

function markDiscontinuities(
  plan: Plan,
  { list, clockMs }: PlanContext,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
): Plan {
  const present = presentOf(plan);
  const known = window?.period === present.number ? window.origin.last : -1;
  let marked = plan;
  for (const [index, segment] of playlist.segments.entries()) {
    if (!segment.discontinuity || segment.sequence <= known) continue;
    const stretches = presentStretches(marked, list);
    const last = stretches.at(-1);
    const { sequence } = segment;
    if (last === undefined || sequence <= last.from) continue;
    const next: Stretch = {
      ...stretchFrom(playlist, index, present.number, clockMs),
      first: last.first + sequence - last.from,
      discontinuity: last.discontinuity + 1,
      tagged: true,
      state: 'firm',
    };
    marked = withStretch(marked, list, next) ?? marked;
  }
  return marked;
}
