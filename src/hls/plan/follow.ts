// Lists what a plan says: the numbers come from it alone, so that every edge comes to the same. Pure.

import type { MediaPlaylist, Segment } from '../playlist/model.js';
import type { StepContext, Stepped } from '../presentation/advance.js';
import { continueEntries, endOf } from '../presentation/entries.js';
import { finish, originOf } from '../presentation/finish-window.js';
import { durationOf, type Entry, incarnationKey, type MediaWindow, nextListed } from '../presentation/live-window.js';
import type { Period } from '../presentation/period.js';
import { lastSequence } from '../presentation/splice.js';
import { isUnusual } from '../presentation/trim.js';
import { type Plan, presentOf, presentStretches, type Stretch } from './plan.js';

/** Segments by which the fleet may be behind what this edge has listed for the edge to wait for it. */
const maxLead = 3;
/** Segments that may come at once, whatever time has passed. */
const maxSegmentsAtOnce = 30;

/**
 * What players see under this plan, whose stretch of the playlist counts as firm.
 *
 * @returns 'apart' when players of this edge would see a step back
 */
export function followPlan(
  plan: Plan,
  period: Period,
  list: string,
  window: MediaWindow | undefined,
  playlist: MediaPlaylist,
  step: StepContext,
): Stepped | 'apart' {
  const { number, source, incarnation, shared } = presentOf(plan);
  const stretches = presentStretches(plan, list);
  const [first] = stretches;
  if (first === undefined) return 'apart';
  const offset = first.first - first.from;
  const last = window?.entries.at(-1);
  const inside = window !== undefined && isInside(window, number, first, source, incarnation);
  const still = (change: Stepped['change']): Stepped => ({ change, period, window, appended: [] });
  if (window !== undefined && !inside && !isPlausible(first, playlist, step.now - window.grownAt))
    return still('waiting');
  // What this origin has listed of these segments before, an edge by itself has shown under other numbers.
  const listed = inside ? window.origin.last : (window?.listed.get(incarnationKey(source, incarnation)) ?? -1);
  const fresh = playlist.segments
    .filter(({ sequence }) => sequence >= first.from && sequence > listed && sequence + offset > (last?.sequence ?? -1))
    .map((segment) => withTag(segment, stretches));
  const [head] = fresh;
  if (!inside && head === undefined) {
    const lead = (last?.sequence ?? -1) - (lastSequence(playlist) + offset);
    return lead > maxLead && first.first <= (last?.sequence ?? -1) ? 'apart' : still('waiting');
  }
  const number0 = head === undefined ? (last?.discontinuitySequence ?? 0) : stretchOf(stretches, head).discontinuity;
  if (last !== undefined && number0 < last.discontinuitySequence) return 'apart';
  const isNext = last !== undefined && (head === undefined || head.sequence + offset === last.sequence + 1);
  const counts = number0 === (last?.discontinuitySequence ?? 0) + (head?.discontinuity ? 1 : 0);
  const goesOn = isNext && counts;
  const context = { locate: step.locate(incarnation), source, incarnation, offset };
  const numbering =
    window !== undefined && (inside || (shared && window.offset === offset)) ? window.numbering : number;
  // A list that begins anew behind its last discontinuity does not count it again.
  const tagged = fresh.map((segment, index) =>
    index === 0 && !goesOn && isBack(window, number0, segment) ? { ...segment, discontinuity: false } : segment,
  );
  const entryContext = { ...context, numbering };
  const appended = continueEntries(tagged, entryContext, {
    discontinuitySequence: number0 - (tagged[0]?.discontinuity ? 1 : 0),
    end: goesOn && last !== undefined && head?.discontinuity === false ? endOf(last) : undefined,
  });
  const kept = keptOf(window, goesOn, inside, fresh, playlist, step);
  const lagging = inside && lastSequence(playlist) < window.origin.last;
  const origin = lagging ? window.origin : originOf(playlist);
  const unusual =
    !inside && window !== undefined && isUnusual(window.targetDurationSeconds, playlist.targetDurationSeconds);
  const next = finish(
    {
      entries: [...kept, ...appended],
      period: number,
      numbering,
      source,
      incarnation,
      offset,
      origin,
      targetDurationSeconds:
        window === undefined || unusual ? playlist.targetDurationSeconds : window.targetDurationSeconds,
      version: window?.version ?? playlist.version,
      dateRanges: window?.dateRanges ?? [],
      grownAt: appended.length > 0 ? step.now : (window?.grownAt ?? step.now),
      behindSince: undefined,
      listed: nextListed(window?.listed ?? new Map(), incarnationKey(source, incarnation), origin.last),
    },
    appended,
    { playlist, context: entryContext, allowEnd: step.allowEnd || window?.ended === true, lagging },
  );
  return { change: changeOf(window, inside, shared, appended), period, window: next, appended };
}

function changeOf(
  window: MediaWindow | undefined,
  inside: boolean,
  shared: boolean,
  appended: readonly Entry[],
): Stepped['change'] {
  if (window === undefined) return 'started';
  if (inside) return appended.length > 0 ? 'grown' : 'same';
  return shared ? 'joined' : 'switched';
}

/** The window has the numbers of that stretch already. */
function isInside(
  window: MediaWindow,
  number: number,
  { first, from, discontinuity }: Stretch,
  source: string,
  incarnation: string,
): boolean {
  if (window.source !== source || window.incarnation !== incarnation || window.offset !== first - from) return false;
  const last = window.entries.at(-1);
  if (last === undefined || last.sequence < first) return false;
  return window.period === number || last.discontinuitySequence === discontinuity;
}

/**
 * Whether the playlist is of the numbering that the stretch was written for: an origin that counts anew may still give an
 * old copy.
 *
 * @param elapsedMs since the window grew last, which was before the stretch
 */
function isPlausible(first: Stretch, playlist: MediaPlaylist, elapsedMs: number): boolean {
  const average = Math.max(0.1, durationOf(playlist.segments) / Math.max(1, playlist.segments.length));
  const elapsedSeconds = elapsedMs / 1000 + first.behindSeconds;
  return (
    lastSequence(playlist) - first.from <= (4 * elapsedSeconds) / average + maxSegmentsAtOnce + playlist.segments.length
  );
}

function stretchOf(stretches: readonly Stretch[], { sequence }: Segment): Stretch {
  const found = stretches.findLast(({ from }) => from <= sequence);
  if (found === undefined) throw new Error('A segment before the first stretch.');
  return found;
}

/** The plan says where discontinuities are. */
function withTag(segment: Segment, stretches: readonly Stretch[]): Segment {
  const discontinuity = stretches.some(({ from, tagged }) => tagged && from === segment.sequence);
  return discontinuity === segment.discontinuity ? segment : { ...segment, discontinuity };
}

/** Whether the list's discontinuity sequence would go back, were that segment its first. */
function isBack(window: MediaWindow | undefined, number: number, { discontinuity }: Segment): boolean {
  const [first] = window?.entries ?? [];
  if (first === undefined || !discontinuity) return false;
  return number - 1 < first.discontinuitySequence - (first.discontinuity ? 1 : 0);
}

/** The entries that stay. */
function keptOf(
  window: MediaWindow | undefined,
  goesOn: boolean,
  inside: boolean,
  fresh: readonly Segment[],
  playlist: MediaPlaylist,
  { lost }: StepContext,
): readonly Entry[] {
  if (window === undefined || !goesOn) return [];
  if (inside) return window.entries;
  // A map that no tag can end, or a target duration that only an origin in error says.
  const unmapped = window.entries.at(-1)?.map !== undefined && fresh[0]?.map === undefined;
  if (unmapped || isUnusual(window.targetDurationSeconds, playlist.targetDurationSeconds)) return [];
  return window.entries.slice(window.entries.findLastIndex((entry) => entry.fetchable && lost(entry)) + 1);
}
