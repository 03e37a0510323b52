// Asks one endpoint for a playlist, and inspects the answer before players get it: whether the playlist stands still,
// whether the segments it lists are there, and whether its bytes are the same as those of the endpoint before.

import { WeirError } from '../../errors.js';
import { bytesOf, fetchAhead } from '../cache/prefetch.js';
import type { MediaPlaylist } from '../playlist/model.js';
import { type Entry, type MediaWindow, needsOf } from '../presentation/live-window.js';
import { firstSequence, isLowLatency, sharesPackaging } from '../presentation/splice.js';
import { placeOf } from '../url/cache-key.js';
import { locate } from '../url/rewrite.js';
import { consequenceOf } from './blame.js';
import type { EndpointProblem } from './endpoint-choice.js';
import { mappingOf } from './mapping.js';
import type { OriginLink } from './origin-link.js';
import type { PlayerTokens } from './player-tokens.js';
import type { FetchedPlaylist, PlaylistRequest } from './playlist-loader.js';
import type { Presented } from './presented.js';
import type { SessionContext } from './session-context.js';
import type { SessionName } from './session-name.js';
import type { SessionObjects } from './session-objects.js';
import type { PeriodTimeline, Proposal } from './timeline.js';

/** The parts of the session that an inspection uses. */
export interface InspectionTools {
  readonly name: SessionName;
  readonly context: SessionContext;
  readonly tokens: PlayerTokens;
  readonly timeline: PeriodTimeline;
  readonly objects: SessionObjects;
}

/** Which playlist is asked for. */
export interface InspectionRequest {
  /** Path behind the stem. */
  readonly suffix: string;
  readonly presented: Presented;
  /** Whether new segments are worth fetching before players hear of them. */
  readonly mayPrefetch: () => boolean;
  /** The playlist as it is asked for, with ms for all of it. */
  readonly ask: (deadlineMs: number) => PlaylistRequest;
}

/** What one endpoint gave. */
export interface Inspected {
  readonly link: OriginLink;
  readonly fetched: FetchedPlaylist;
  /** undefined for a multivariant playlist. */
  readonly proposal: Proposal | undefined;
  /** What is wrong with it, though it can be used. */
  readonly problem: EndpointProblem | undefined;
}

/** Segments at the live edge that are fetched ahead at the first playlist: where players begin. */
const edgeSegments = 3;
/** ms that a playlist waits for its new segments at most. */
const maxPrefetchWaitMs = 1_000;
/** ms for a playlist at least, however close a stall is. */
const minDeadlineMs = 1_000;

/**
 * Asks one endpoint, and inspects its playlist.
 *
 * @throws StatusError or WeirError when the endpoint gives no playlist that can be used
 */
export async function inspect(tools: InspectionTools, wanted: InspectionRequest, link: OriginLink): Promise<Inspected> {
  const { presented } = wanted;
  const fetched = await link.loader.fetch(wanted.ask(deadlineMsOf(tools.context, presented.window)));
  const { playlist } = fetched;
  if (playlist.kind === 'multivariant') return { link, fetched, proposal: undefined, problem: undefined };
  const bytesDiffer = await differ(tools, wanted, link, fetched, playlist);
  const proposal = presented.propose(link, fetched, playlist, bytesDiffer);
  if (proposal.stepped.window === undefined) {
    // Under a plan it is not the endpoint's fault that it lists nothing that the plan says.
    if (proposal.under !== undefined && playlist.segments.length > 0) throw new WeirError('no_endpoint');
    throw new WeirError('upstream_bad_response', { detail: 'The playlist lists no segment yet.' });
  }
  return { link, fetched, proposal, problem: await problemOf(tools, wanted, link, proposal) };
}

async function problemOf(
  tools: InspectionTools,
  { mayPrefetch }: InspectionRequest,
  link: OriginLink,
  proposal: Proposal,
): Promise<EndpointProblem | undefined> {
  const { window: before, playlist, stepped } = proposal;
  // Where nothing is live, nobody begins at the end.
  const isLive = !playlist.ended || before !== undefined;
  const missing =
    isLive && !isLowLatency(playlist) && mayPrefetch() && stepped.window !== undefined
      ? await prefetch(tools, link, stepped.window, stepped.appended)
      : undefined;
  if (playlist.ended && before !== undefined && !before.ended) return { cause: 'ended', outcome: 'success' };
  return missing ?? stallOf(tools.context, proposal);
}

/** A live playlist that is about to count as stalled is not waited for longer than until then. */
function deadlineMsOf({ firstByteTimeoutMs, settings, now }: SessionContext, window: MediaWindow | undefined): number {
  if (window === undefined || window.ended) return firstByteTimeoutMs;
  const patienceMs = settings.stallFactor * window.targetDurationSeconds * 1000 - (now() - window.grownAt);
  return Math.min(firstByteTimeoutMs, Math.max(minDeadlineMs, patienceMs));
}

function stallOf(
  { settings }: SessionContext,
  { window, playlist, step, stepped: { change }, under }: Proposal,
): EndpointProblem | undefined {
  // The other edges are asked first.
  if (under?.wanted !== undefined || under?.waits === true) return undefined;
  if (window === undefined || window.ended || playlist.ended) return undefined;
  if (change !== 'same' && change !== 'behind' && change !== 'waiting' && change !== 'empty') return undefined;
  const isStalled = step.now - window.grownAt > settings.stallFactor * window.targetDurationSeconds * 1000;
  return isStalled ? { cause: 'stall', outcome: 'stall' } : undefined;
}

/** Fetches new segments ahead. A problem when one is not there: the origin lists what it does not have. */
async function prefetch(
  { context: { cache }, tokens, objects }: InspectionTools,
  link: OriginLink,
  window: MediaWindow,
  appended: readonly Entry[],
): Promise<EndpointProblem | undefined> {
  const isFirst = appended.length === window.entries.length;
  const patienceMs = isFirst ? 0 : Math.min(maxPrefetchWaitMs, window.targetDurationSeconds * 500);
  const fresh = new Set(appended.slice(isFirst ? -edgeSegments : -2 * edgeSegments));
  // Players begin at the live edge, which may be older than what is new: it is fetched too, but not waited for.
  const edge = window.entries.slice(-edgeSegments).filter(({ origin }) => origin.source === link.tag);
  const arrivals = [...new Set([...edge, ...fresh])].flatMap((entry) =>
    needsOf(entry).map(({ target, range }) => {
      const load = objects.load(target, range, tokens.query, link);
      const opening = { ...objects.openListed(placeOf(target, range)), load };
      return fetchAhead(cache, opening, fresh.has(entry) ? patienceMs : 0);
    }),
  );
  for (const arrival of await Promise.all(arrivals)) {
    if (typeof arrival === 'string') continue;
    const { leave, outcome } = consequenceOf(arrival.failure, tokens.kind);
    if (leave) return { cause: 'segment', outcome };
  }
  return undefined;
}

/** Whether two origins that seem to share their packaging give different bytes for one segment that both list. */
async function differ(
  tools: InspectionTools,
  { suffix, presented: { window } }: InspectionRequest,
  link: OriginLink,
  fetched: FetchedPlaylist,
  playlist: MediaPlaylist,
): Promise<boolean> {
  const { context, timeline, objects, tokens } = tools;
  const { cache } = context;
  if (window === undefined || window.source === link.tag) return false;
  if (!sharesPackaging(window, playlist, context.now())) return false;
  const mapping = mappingOf(tools, link, suffix, fetched, timeline.period?.incarnations.get(link.tag) ?? '');
  for (const entry of window.entries.toReversed()) {
    const mine = cache.stored(objects.keyOf(placeOf(entry.target, entry.range)))?.body;
    const segment = playlist.segments[entry.origin.sequence - firstSequence(playlist)];
    if (mine === undefined || segment === undefined || entry.numbering !== window.numbering) continue;
    const kind = { ranged: segment.byteRange !== undefined, held: false, number: segment.sequence };
    const place = locate(segment.uri, mapping, kind);
    if (place === undefined) return false;
    const load = objects.load(place.target, entry.range, tokens.query, link);
    const opening = { ...objects.openListed(placeOf(place.target, entry.range)), load };
    const theirs = await bytesOf(cache, opening, maxPrefetchWaitMs);
    return theirs !== undefined && !theirs.equals(mine);
  }
  return false;
}
