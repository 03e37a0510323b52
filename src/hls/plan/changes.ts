// What an edge can write into a plan: a period, where a playlist enters it, a discontinuity in an origin's list, and what it has
// listed beyond. Each gives a new plan, which holds once all edges can read it. Pure.

import {
  maxLists,
  maxPeriods,
  maxStretches,
  numberStep,
  type Plan,
  type PlanPeriod,
  presentOf,
  presentStretches,
  type Stretch,
} from './plan.js';

/** The number of the period behind that one. The first is taken from the clock: no plan of before had it. */
export function nextNumber(plan: Plan | undefined, clockMs: number): number {
  if (plan !== undefined) return presentOf(plan).number + numberStep;
  return Math.floor(clockMs / 1000) * numberStep;
}

/** The plan with a new period, which that playlist enters first. */
export function appendPeriod(plan: Plan | undefined, period: PlanPeriod, list: string, stretch: Stretch): Plan {
  const periods = [...(plan?.periods ?? []), period].slice(-maxPeriods);
  const oldest = periods[0]?.number ?? 0;
  // A playlist that missed all periods is not asked for any more.
  const kept = [...(plan?.lists ?? [])].filter(([, stretches]) => (stretches.at(-1)?.period ?? 0) >= oldest);
  return (
    withStretch({ periods, lists: new Map(kept), usedAt: period.at }, list, stretch) ?? {
      periods,
      lists: new Map([[list, [stretch]]]),
      usedAt: period.at,
    }
  );
}

/** The plan with another stretch of that playlist; undefined when it has no room for another playlist. */
export function withStretch(plan: Plan, list: string, stretch: Stretch): Plan | undefined {
  const before = plan.lists.get(list);
  if (before === undefined && plan.lists.size >= maxLists) return undefined;
  const stretches = [...(before ?? []), stretch].slice(-maxStretches);
  return { ...plan, lists: new Map(plan.lists).set(list, stretches) };
}

/**
 * What an edge says that has listed up to number `last` before an open stretch; undefined when the stretch can stay as it
 * is. What the origin lists meanwhile is skipped, so that nothing is listed twice.
 */
export function raise(plan: Plan, list: string, last: number): Plan | undefined {
  const [open] = presentStretches(plan, list);
  if (open === undefined || open.state === 'firm') return undefined;
  if (open.state === 'guess') return replaceOpen(plan, list, { ...open, first: last + 1, state: 'open' });
  const more = last + 1 - open.first;
  if (more <= 0) return undefined;
  return replaceOpen(plan, list, later(open, more));
}

/** The stretch without its first segments. */
function later(stretch: Stretch, segments: number): Stretch {
  const { from, first, behindSeconds, segmentSeconds, clockMs } = stretch;
  return {
    ...stretch,
    first: first + segments,
    from: from + segments,
    behindSeconds: Math.max(0, behindSeconds - segments * segmentSeconds),
    clockMs: clockMs === undefined ? undefined : clockMs + segments * segmentSeconds * 1000,
  };
}

/** The stretch behind everything that the plan lets edges list before it, as far as that is known. */
export function behindAll(plan: Plan | undefined, list: string, stretch: Stretch): Stretch {
  const before = plan?.lists.get(list)?.at(-1);
  if (before === undefined) return stretch;
  const discontinuity = Math.max(stretch.discontinuity, before.discontinuity + (stretch.tagged ? 1 : 0));
  const open = { ...stretch, discontinuity };
  return before.first > stretch.first ? later(open, before.first - stretch.first) : open;
}

/** Nobody has said for long enough that it listed more. */
export function settle(plan: Plan, list: string): Plan | undefined {
  const [open] = presentStretches(plan, list);
  if (open === undefined || open.state === 'firm') return undefined;
  return replaceOpen(plan, list, { ...open, state: 'firm' });
}

/** The first stretch of the present period is open only while it is the last one. */
function replaceOpen(plan: Plan, list: string, stretch: Stretch): Plan {
  const stretches = [...(plan.lists.get(list) ?? []).slice(0, -1), stretch];
  return { ...plan, lists: new Map(plan.lists).set(list, stretches) };
}

/** The channel is in use. */
export function touched(plan: Plan, clockMs: number): Plan {
  return { ...plan, usedAt: clockMs };
}
