// Pure: what a failed request for a known playlist or a listed object means for a session. Whose fault it is, says
// `upstream/judge.ts`. Whether the session leaves its endpoint is decided here: a player's expired token is refused by
// every endpoint, so the session stays.

import type { Failure, WeirError } from '../../errors.js';
import { type Judgement, judgeError, judgeStatus, outcomeOf, type Purpose } from '../../upstream/judge.js';
import type { Tokens } from './player-tokens.js';

export interface Consequence {
  /** The session leaves the endpoint, and asks another one. False: the answer is for the player who asked. */
  readonly leave: boolean;
  /** What passive health hears of it. */
  readonly outcome: Failure | 'abandoned';
}

const stay: Consequence = { leave: false, outcome: 'abandoned' };
const leaveUnblamed: Consequence = { leave: true, outcome: 'abandoned' };

/**
 * An answer to a player's own query does not count against an endpoint: it may say 404 to a token that has expired.
 */
function purposeOf(tokens: Tokens): Purpose {
  return tokens === 'none' ? 'listed' : 'asked';
}

/**
 * What follows from a failed request.
 *
 * @param failure the status of an answer without the wanted content, or the error that ended the request
 */
export function consequenceOf(failure: number | WeirError, tokens: Tokens): Consequence {
  if (typeof failure !== 'number') return ofError(judgeError(failure, purposeOf(tokens)));
  const { fault, elsewhere } = judgeStatus(failure, 'listed');
  const outcome = outcomeOf(judgeStatus(failure, purposeOf(tokens)));
  // No content, or a redirect that leads nowhere: a valid answer, but without what it gave before.
  if (fault === 'nobody') return tokens === 'none' ? { leave: true, outcome: 'bad_status' } : leaveUnblamed;
  if (elsewhere) return { leave: true, outcome };
  // Without a player's query or credentials in the request, the answer is not about a player.
  return tokens === 'none' ? leaveUnblamed : stay;
}

function ofError(verdict: Judgement): Consequence {
  const leave = verdict.fault === 'origin' || verdict.fault === 'registry';
  return { leave, outcome: outcomeOf(verdict) };
}
