// One round of refreshing a playlist: the present endpoint, and others when it fails or looks ill.

import { toWeirError, WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { judgeError, judgeStatus, outcomeOf } from '../upstream/judge.js';
import type { Attachment } from './attachment.js';
import { type Consequence, consequenceOf } from './blame.js';
import type { Problem } from './endpoint-choice.js';
import type { Epoch } from './epoch.js';
import { placeOf } from './listed.js';
import { locate, type Mapping } from './locate.js';
import type { MediaPlaylist } from './playlist.js';
import { type FetchedPlaylist, type PlaylistRequest, RefusedError, StatusError } from './playlist-source.js';
import { bytesOf, fetchAhead, needsOf } from './prefetch.js';
import { advance, type Change, type Step, type Stepped } from './presentation.js';
import { firstSequence, isLowLatency, sharesPackaging } from './seam.js';
import type { Session } from './session.js';
import type { Entry, MediaWindow } from './window.js';

/** What a round needs of its rendition. */
export interface RoundSubject {
  readonly rest: string;
  readonly window: MediaWindow | undefined;
  /** True once an endpoint had it: its absence is a failure from then on. */
  readonly known: boolean;
}

export interface Round {
  readonly attachment: Attachment;
  readonly fetched: FetchedPlaylist;
  /** What the media playlist was judged by, and what it has to be taken over by: the names of what was fetched ahead. */
  readonly step: Step | undefined;
  readonly preview: Preview | undefined;
  readonly problem: Problem | undefined;
}

/** What comes of a playlist, as long as nothing else happens to its rendition. */
export interface Preview {
  readonly epoch: Epoch;
  readonly window: MediaWindow | undefined;
  readonly stepped: Stepped;
}

/** Segments at the live edge that are fetched ahead at the first playlist: where players begin. */
const edgeSegments = 3;
/** ms that a playlist waits for its new segments at most. */
const longestWait = 1_000;
/** ms for a playlist at least, however close a stall is. */
const shortestDeadline = 1_000;

/** The playlist as it is to be asked for, with ms for all of it. */
type RequestFor = (deadline: number) => PlaylistRequest;

/**
 * Asks one endpoint after the other until one gives a playlist that can be used, and makes it the session's.
 *
 * @throws RefusedError when the answer is for the player who asked; StatusError when no endpoint has any more what was there;
 *   WeirError when none answered
 */
export async function playRound(session: Session, subject: RoundSubject, request: RequestFor): Promise<Round> {
  const failed: ServerOrigin[] = [];
  let second: Round | undefined;
  let lastError: unknown;
  for (let attempt = 0; attempt <= session.context.retries + 2; attempt += 1) {
    let attachment: Attachment;
    try {
      attachment = session.choice.attach(failed);
    } catch (error) {
      lastError ??= error;
      break;
    }
    const { moves } = session.choice;
    try {
      const round = await tryEndpoint(session, subject, request, attachment);
      if (session.choice.moves !== moves && session.choice.current !== attachment) {
        // Another rendition moved the session meanwhile.
        attachment.release('abandoned');
        continue;
      }
      const server = attachment.pick.server;
      if (round.problem !== undefined && (second !== undefined || session.choice.hasAlternative([...failed, server]))) {
        if (second === undefined) second = round;
        else attachment.release('abandoned');
        failed.push(server);
        continue;
      }
      if (second !== undefined && session.choice.current !== second.attachment) second.attachment.release('abandoned');
      session.settle(attachment, second?.problem);
      return round;
    } catch (error) {
      if (failEndpoint(session, subject, attachment, error) === 'final') {
        if (second !== undefined && session.choice.current !== second.attachment)
          second.attachment.release('abandoned');
        throw error instanceof StatusError ? new RefusedError(error.status) : error;
      }
      lastError = error;
      failed.push(attachment.pick.server);
    }
  }
  if (second !== undefined) {
    session.settle(second.attachment, undefined);
    return second;
  }
  throw refusalOf(lastError, subject.known);
}

/** next: another endpoint may be asked. final: what this one says is for the player who asked. */
function failEndpoint(
  { choice, tokens }: Session,
  { known }: RoundSubject,
  attachment: Attachment,
  error: unknown,
): 'next' | 'final' {
  const isStatus = error instanceof StatusError;
  const failure = isStatus ? error.status : toWeirError(error);
  const { leave, outcome } = known || !isStatus ? consequenceOf(failure, tokens) : unknownPlaylist(error.status);
  if (leave) {
    choice.failed(attachment, isStatus ? 'missing' : 'upstream', outcome);
    return 'next';
  }
  // A path of a player's own making must not move a session that works.
  if (choice.current === attachment) return 'final';
  attachment.release(isStatus ? 'success' : 'abandoned');
  const { fault, elsewhere } = isStatus ? judgeStatus(error.status, 'stream') : judgeError(toWeirError(error), 'asked');
  return choice.current === undefined && fault === 'player' && !elsewhere ? 'final' : 'next';
}

/** Nobody knows whether there is such a playlist at all. */
function unknownPlaylist(status: number): Consequence {
  const verdict = judgeStatus(status, 'asked');
  return { leave: verdict.elsewhere, outcome: outcomeOf(verdict) };
}

/** What the player hears when no endpoint gave it. */
function refusalOf(error: unknown, known: boolean): unknown {
  if (!(error instanceof StatusError) || known) return error ?? new WeirError('no_endpoint');
  if (judgeStatus(error.status, 'asked').elsewhere) return new WeirError('upstream_status', { detail: error.message });
  return new RefusedError(error.status);
}

async function tryEndpoint(
  session: Session,
  subject: RoundSubject,
  request: RequestFor,
  attachment: Attachment,
): Promise<Round> {
  const { window } = subject;
  const fetched = await attachment.source.fetch(request(deadlineOf(session, window)));
  const { playlist } = fetched;
  if (playlist.kind === 'master')
    return { attachment, fetched, step: undefined, preview: undefined, problem: undefined };
  const bytesDiffer = await differ(session, attachment, subject, fetched, playlist);
  const step = { ...stepOf(session, attachment, subject.rest, fetched), bytesDiffer };
  const epoch = session.epochAt(attachment);
  const stepped = advance(epoch, window, playlist, step);
  if (stepped.window === undefined) {
    throw new WeirError('upstream_bad_response', { detail: 'The playlist lists no segment yet.' });
  }
  let problem = stallOf(session, window, stepped.change, playlist);
  // Where nothing is live, nobody begins at the end.
  const live = !playlist.ended || window !== undefined;
  if (live && !isLowLatency(playlist) && session.mayPrefetch) {
    problem = (await prefetch(session, attachment, stepped.window, stepped.appended)) ?? problem;
  }
  if (playlist.ended && window !== undefined && !window.ended) problem = { cause: 'ended', outcome: 'success' };
  return { attachment, fetched, step, preview: { epoch, window, stepped }, problem };
}

/** A live playlist that is about to count as stalled is not waited for longer than until then. */
function deadlineOf(session: Session, window: MediaWindow | undefined): number {
  const { firstByteTimeout, settings, now } = session.context;
  if (window === undefined || window.ended) return firstByteTimeout;
  const patience = settings.stallFactor * window.targetDuration * 1000 - (now() - window.grownAt);
  return Math.min(firstByteTimeout, Math.max(shortestDeadline, patience));
}

function stallOf(
  session: Session,
  window: MediaWindow | undefined,
  change: Change,
  playlist: MediaPlaylist,
): Problem | undefined {
  if (window === undefined || window.ended || playlist.ended) return undefined;
  if (change !== 'same' && change !== 'behind' && change !== 'waiting' && change !== 'empty') return undefined;
  const { now, settings } = session.context;
  const stalled = now() - window.grownAt > settings.stallFactor * window.targetDuration * 1000;
  return stalled ? { cause: 'stall', outcome: 'stall' } : undefined;
}

export function stepOf(session: Session, attachment: Attachment, rest: string, fetched: FetchedPlaylist): Step {
  const { now, clock, cache } = session.context;
  return {
    now: now(),
    allowEnd: false,
    bytesDiffer: false,
    nextLife: Math.floor(clock()).toString(36),
    locate: (life) => {
      const mapping = mappingOf(session, attachment, rest, fetched, life);
      return (uri, kind) => locate(uri, mapping, kind);
    },
    lost: (entry) =>
      !session.reaches(entry.origin.source) && !cache.holds(session.keyOf(placeOf(entry.target, entry.range))),
  };
}

export function mappingOf(
  session: Session,
  { origin, tag }: Attachment,
  rest: string,
  { base, hidden }: FetchedPlaylist,
  life: string,
): Mapping {
  return {
    base,
    home: origin.base,
    playlistPath: session.name.stem + rest,
    stem: session.name.stem,
    forward: (of) => origin.forward(of),
    endpoint: tag,
    life,
    hidden: new Set([...hidden, ...session.context.settings.unkeyedParameters]),
    keys: session.context.keys,
  };
}

/** A problem when a new segment is not there: the origin lists what it does not have. */
async function prefetch(
  session: Session,
  attachment: Attachment,
  window: MediaWindow,
  appended: readonly Entry[],
): Promise<Problem | undefined> {
  const { cache } = session.context;
  const isFirst = appended.length === window.entries.length;
  const patience = isFirst ? 0 : Math.min(longestWait, window.targetDuration * 500);
  const fresh = new Set(appended.slice(isFirst ? -edgeSegments : -2 * edgeSegments));
  // Where players begin, also of what was listed before anything was fetched ahead: nobody waits for that.
  const edge = window.entries.slice(-edgeSegments).filter(({ origin }) => origin.source === attachment.tag);
  const wanted = [...new Set([...edge, ...fresh])].flatMap((entry) =>
    needsOf(entry).map(({ target, range }) => {
      const load = session.load(target, range, session.query, attachment);
      const what = { ...session.openListed(placeOf(target, range)), load };
      return fetchAhead(cache, what, fresh.has(entry) ? patience : 0);
    }),
  );
  for (const arrival of await Promise.all(wanted)) {
    if (typeof arrival === 'string') continue;
    const { leave, outcome } = consequenceOf(arrival.failure, session.tokens);
    if (leave) return { cause: 'segment', outcome };
  }
  return undefined;
}

/** Whether two origins that seem to share their packaging give different bytes for one segment that both list. */
async function differ(
  session: Session,
  attachment: Attachment,
  subject: RoundSubject,
  fetched: FetchedPlaylist,
  playlist: MediaPlaylist,
): Promise<boolean> {
  const { window } = subject;
  const { cache, now } = session.context;
  if (window === undefined || window.source === attachment.tag) return false;
  if (!sharesPackaging(window, playlist, now())) return false;
  const life = session.epoch?.lives.get(attachment.tag) ?? '';
  const mapping = mappingOf(session, attachment, subject.rest, fetched, life);
  for (const entry of window.entries.toReversed()) {
    const mine = cache.stored(session.keyOf(placeOf(entry.target, entry.range)))?.body;
    const segment = playlist.segments[entry.origin.sequence - firstSequence(playlist)];
    if (mine === undefined || segment === undefined || entry.numbering !== window.numbering) continue;
    const kind = { ranged: segment.byteRange !== undefined, held: false, number: segment.sequence };
    const place = locate(segment.uri, mapping, kind);
    if (place === undefined) return false;
    const load = session.load(place.target, entry.range, session.query, attachment);
    const wanted = { ...session.openListed(placeOf(place.target, entry.range)), load };
    const theirs = await bytesOf(cache, wanted, longestWait);
    return theirs !== undefined && !theirs.equals(mine);
  }
  return false;
}
