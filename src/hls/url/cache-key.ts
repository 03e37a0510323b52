// Pure: under which key an object is kept, and whose it is.

import { createHash } from 'node:crypto';
import { pinParameter } from './pin.js';
import { join, nameOf, pieces } from './query.js';

/**
 * What must not be shared: players whose query or credentials differ may be given different bytes. Parameters that a
 * setting names do not count. The credentials enter as a hash, since the result is a key that lives long.
 */
export function partitionOf(own: string, unkeyed: ReadonlySet<string>, authorization: string | undefined): string {
  const keyed =
    own === ''
      ? ''
      : pieces(own)
          .filter((piece) => !unkeyed.has(nameOf(piece)))
          .join('&');
  if (authorization === undefined) return keyed;
  return `${keyed} ${createHash('sha256').update(authorization).digest('base64url')}`;
}

/** The key of an object: whose it is, and what a player's request for it looks like without the player's own query. */
export function objectKey(partition: string, target: string): string {
  return `${partition} ${target}`;
}

/** Path, pin and origin's query as a playlist would list them. */
export function targetOf(path: string, pin: string, originQuery: string): string {
  if (pin === '') return join(path, originQuery);
  return join(path, originQuery === '' ? `${pinParameter}=${pin}` : `${pinParameter}=${pin}&${originQuery}`);
}

/** A byte range is an object of its own. */
export function placeOf(target: string, range: string | undefined): string {
  return range === undefined ? target : `${target} ${range}`;
}
