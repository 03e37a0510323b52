// Pure: the one table of what a status or an error of an endpoint means. From the answer or the error, and from what the
// request was for, it says whose fault it is, what passive health counts, whether another endpoint is worth asking, and what
// players are told.

import { type ErrorCode, type Failure, WeirError } from '../errors.js';

/**
 * What a request is for. It decides what a status or a silence means.
 *
 * - `asked`: a path that a player chose, passed on. The endpoint is not at fault when it does not have it.
 * - `held`: a request that the endpoint may hold as long as it likes, since the player asked for what is yet to come.
 * - `listed`: something that the endpoint itself listed or gave before. It is at fault when that is missing.
 * - `stream`: a live stream without an end.
 * - `peer`: what another worker of this edge answers, which has judged its endpoints itself.
 */
export type Purpose = 'asked' | 'held' | 'listed' | 'stream' | 'peer';

/** Whose fault: the player's, the origin's, the registry's (the registration is wrong), ours; `nobody`: all is well. */
export type Fault = 'nobody' | 'player' | 'origin' | 'registry' | 'ours';

/** What a status or an error means: whose fault it is, and whether another endpoint is worth asking. */
export interface Judgement {
  readonly fault: Fault;
  /** What passive health counts against the endpoint. Only an origin's fault has one. */
  readonly failure: Failure | undefined;
  /** Another endpoint may do better with the same request. */
  readonly elsewhere: boolean;
}

const well: Judgement = { fault: 'nobody', failure: undefined, elsewhere: false };
const players: Judgement = { fault: 'player', failure: undefined, elsewhere: false };
/** The endpoint is well and has no such thing; another one may have it. */
const unknownHere: Judgement = { fault: 'player', failure: undefined, elsewhere: true };
/** The endpoint says that it is overloaded: it is passed over once, and not blamed. */
const busy: Judgement = { fault: 'origin', failure: undefined, elsewhere: true };
const ours: Judgement = { fault: 'ours', failure: undefined, elsewhere: false };
const oursHere: Judgement = { fault: 'ours', failure: undefined, elsewhere: true };
const registrys: Judgement = { fault: 'registry', failure: undefined, elsewhere: true };
const origins = (failure: Failure): Judgement => ({ fault: 'origin', failure, elsewhere: true });

interface StatusMeaning {
  /** Its verdict by what was asked for; of `held` the one of `asked`. */
  readonly asked: Judgement;
  readonly listed: Judgement;
  readonly stream: Judgement;
  /** The error that a player gets where the answer itself is of no use to it. */
  readonly told: ErrorCode;
  /** What is stored may be given instead, though it is no longer fresh (RFC 5861, section 4: stale-if-error). */
  readonly storedInstead?: true;
  /** So an endpoint answers that has forgotten the session in the request's URL. */
  readonly mayBeForgotten?: true;
}

const bad = origins('bad_status');

const statuses: Readonly<
  Record<'well' | 'refused' | 'absent' | 'busy' | 'malformed' | 'gateway' | 'broken', StatusMeaning>
> = {
  /** Below 400. Told where it is of no use: a redirect that leads nowhere, no content. */
  well: { asked: well, listed: well, stream: well, told: 'upstream_status' },
  /** Credentials are the player's matter: an expired token of one viewer must never count against an endpoint. */
  refused: { asked: players, listed: players, stream: players, told: 'forbidden', mayBeForgotten: true },
  absent: { asked: players, listed: bad, stream: unknownHere, told: 'not_found', mayBeForgotten: true },
  busy: { asked: busy, listed: busy, stream: busy, told: 'upstream_status' },
  /** Any other 4xx. */
  malformed: { asked: players, listed: players, stream: unknownHere, told: 'upstream_status', mayBeForgotten: true },
  /** A gateway whose own origin failed (RFC 9110, sections 15.6.3 to 15.6.5), whatever the request was. */
  gateway: { asked: bad, listed: bad, stream: bad, told: 'upstream_status', storedInstead: true },
  /** Any other 5xx: it may be what one path or query of a player provokes. */
  broken: { asked: players, listed: bad, stream: bad, told: 'upstream_status', storedInstead: true },
};

const named: ReadonlyMap<number, keyof typeof statuses> = new Map([
  [401, 'refused'],
  [403, 'refused'],
  [407, 'refused'],
  [404, 'absent'],
  [410, 'absent'],
  [429, 'busy'],
  [502, 'gateway'],
  [503, 'gateway'],
  [504, 'gateway'],
]);

function meaningOf(status: number): StatusMeaning {
  if (status < 400) return statuses.well;
  return statuses[named.get(status) ?? (status < 500 ? 'malformed' : 'broken')];
}

/** Another worker has the channel now, by the account of the one that was asked. */
const misdirected = new WeirError('not_owner').status;
/** Errors of a worker that is gone or going: whoever has its channels next answers. */
const workerLost: ReadonlySet<ErrorCode> = new Set([
  'worker_lost',
  'upstream_connect',
  'upstream_connect_timeout',
  'upstream_cut',
]);

const unreachable: ReadonlySet<ErrorCode> = new Set([
  'upstream_connect',
  'upstream_connect_timeout',
  'upstream_unresolved',
  'address_refused',
]);

/** The server could not be connected to: nothing else that is asked of it would do better now. */
export function isUnreachable({ code }: WeirError): boolean {
  return unreachable.has(code);
}

/** The endpoint refuses whoever asks, by the credentials or the token in the request. */
export function isRefusal(status: number): boolean {
  return meaningOf(status) === statuses.refused;
}

/** What a final status (101, or 200 to 599) of an endpoint means. */
export function judgeStatus(status: number, purpose: Purpose): Judgement {
  if (purpose === 'peer') return status === misdirected ? oursHere : well;
  return meaningOf(status)[purpose === 'held' ? 'asked' : purpose];
}

/** What a player is told of a status, where it does not get the answer itself. */
export function toldOf(status: number): WeirError {
  return new WeirError(meaningOf(status).told, { detail: `The endpoint answered ${status}.` });
}

/** Whether what is stored may be given instead of an answer with this status. */
export function isStoredInstead(status: number): boolean {
  return meaningOf(status).storedInstead === true;
}

/** Whether an endpoint may answer so because it has forgotten a session that it named in a URL. */
export function mayBeForgotten(status: number): boolean {
  return meaningOf(status).mayBeForgotten === true;
}

/** A status that sends a request elsewhere, as an error. */
export function errorOfStatus(status: number, purpose: Purpose): WeirError {
  if (purpose === 'peer') return new WeirError('worker_lost');
  return new WeirError('upstream_status', { detail: `The endpoint answered ${status}.` });
}

const errors: Readonly<Record<ErrorCode, Judgement>> = {
  bad_request: players,
  forbidden: players,
  not_admitted: players,
  unknown_channel: players,
  not_found: players,
  method_not_allowed: players,
  request_timeout: players,
  uri_too_long: players,
  headers_too_large: players,
  loop_detected: players,
  client_gone: players,

  no_endpoint: { ...registrys, elsewhere: false },
  not_ready: { ...registrys, elsewhere: false },
  address_refused: registrys,

  upstream_connect: origins('connect_error'),
  // When our own resolver fails, all names fail alike, and the panic threshold holds.
  upstream_unresolved: origins('connect_error'),
  upstream_connect_timeout: origins('connect_timeout'),
  upstream_first_byte_timeout: origins('first_byte_timeout'),
  // A body that stops is no sign that the same request would do better elsewhere.
  upstream_idle_timeout: { ...origins('stall'), elsewhere: false },
  upstream_cut: origins('cut'),
  upstream_bad_response: origins('bad_response'),
  upstream_redirect: origins('bad_response'),
  upstream_status: origins('bad_status'),
  upstream_busy: oursHere,

  relay_full: ours,
  sessions_full: ours,
  worker_lost: oursHere,
  not_owner: oursHere,
  draining: ours,
  // Local ports are counted for each destination, and a kept connection to another endpoint needs nothing new.
  exhausted: oursHere,
  internal: ours,
};

/** What the error means that ended a request, before its answer began. */
export function judgeError(error: WeirError, purpose: Purpose): Judgement {
  if (purpose === 'peer') return workerLost.has(error.code) ? oursHere : ours;
  // A player chose what the endpoint waits for.
  if (purpose === 'held' && error.code === 'upstream_first_byte_timeout') return { ...players, elsewhere: true };
  // For example to a login page: some endpoints answer an expired token so.
  if ((purpose === 'held' || purpose === 'asked') && error.code === 'upstream_redirect') return unknownHere;
  return errors[error.code];
}

/** How the pick ended: what passive health hears of the verdict. */
export function outcomeOf(verdict: Judgement): Failure | 'abandoned' {
  return verdict.failure ?? 'abandoned';
}
