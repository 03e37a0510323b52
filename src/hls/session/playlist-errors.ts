// What the failure of a playlist means to those who ask for it. Pure.

import { toWeirError, WeirError } from '../../errors.js';
import { toldOf } from '../../upstream/judge.js';
import { RefusedError, StatusError } from './playlist-loader.js';

/** A failure of others. What remains is a fault of this program. */
export function isExpected(error: unknown): boolean {
  return error instanceof StatusError || (error instanceof WeirError && error.code !== 'internal');
}

/** It says nothing to anybody else: a token that has expired, a request that is malformed. */
export function isForAsker(error: unknown): boolean {
  return error instanceof RefusedError || (error instanceof WeirError && error.side === 'client');
}

/** To a player it is all the same why there is nothing: it may try again. */
export function asUnavailable(error: unknown): WeirError {
  if (error instanceof StatusError) return new WeirError('no_endpoint', { cause: error });
  const { code, side } = toWeirError(error);
  if (side === 'upstream' || code === 'no_endpoint') return new WeirError('no_endpoint', { cause: error });
  return toWeirError(error);
}

/**
 * What the player hears: its part of what the origin says, and what weir says itself. A fault of this program stays as
 * it is.
 */
export function answerableError(error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  return toldOf(error.status);
}
