// Pure: what it means for a session that an endpoint does not give what it had or listed. Who is to blame is one
// question (`upstream/judge.ts`); whether the session stays is another, since a player whose token has expired is in
// nobody's wrong place.

import type { Failure, WeirError } from '../../errors.js';
import { judgeError, judgeStatus, outcomeOf, type Purpose, type Verdict } from '../../upstream/judge.js';
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
 * What a player's query may have provoked is not held against an endpoint: it may say 404 to a token that has expired.
 */
function purposeOf(tokens: Tokens): Purpose {
  return tokens === 'none' ? 'listed' : 'asked';
}

/** @param failure a status, of anything but what was wanted, or the error that ended the request */
export function consequenceOf(failure: number | WeirError, tokens: Tokens): Consequence {
  if (typeof failure !== 'number') return ofError(judgeError(failure, purposeOf(tokens)));
  const { fault, elsewhere } = judgeStatus(failure, 'listed');
  const outcome = outcomeOf(judgeStatus(failure, purposeOf(tokens)));
  // No content, or a redirect that leads nowhere: well answered, and not what it gave before.
  if (fault === 'nobody') return tokens === 'none' ? { leave: true, outcome: 'bad_status' } : leaveUnblamed;
  if (elsewhere) return { leave: true, outcome };
  // With nothing of a player's in the request, no player can be meant.
  return tokens === 'none' ? leaveUnblamed : stay;
}

function ofError(verdict: Verdict): Consequence {
  const leave = verdict.fault === 'origin' || verdict.fault === 'registry';
  return { leave, outcome: outcomeOf(verdict) };
}
