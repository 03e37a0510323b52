// What players hear when a playlist fails. Pure.

import { toWeirError, WeirError } from '../../errors.js';
import { toldOf } from '../../upstream/judge.js';
import { RefusedError, StatusError } from './playlist-loader.js';

/** A failure of an endpoint or a player. Any other error is a fault of this program. */
export function isExpected(error: unknown): boolean {
  return error instanceof StatusError || (error instanceof WeirError && error.code !== 'internal');
}

/** The failure concerns only the player who asked: a token that has expired, a malformed request. */
export function isForAsker(error: unknown): boolean {
  return error instanceof RefusedError || (error instanceof WeirError && error.side === 'client');
}

/** To a player the reason does not matter: it may try again. */
export function asUnavailable(error: unknown): WeirError {
  if (error instanceof StatusError) return new WeirError('no_endpoint', { cause: error });
  const { code, side } = toWeirError(error);
  if (side === 'upstream' || code === 'no_endpoint') return new WeirError('no_endpoint', { cause: error });
  return toWeirError(error);
}

/**
 * The error that the player is answered with. An origin's status becomes one of weir's errors; a fault of this program
 * stays as it is.
 */
export function answerableError(error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  return toldOf(error.status);
}
