// Pure: the key of an object in the cache, and the part of it that separates players.

import { createHash } from 'node:crypto';
import { pinParameter } from './pin.js';
import { join, nameOf, pieces } from './query.js';

/**
 * Separates players whose query or credentials differ: they may be given different bytes. Parameters in `unkeyed` do not
 * count. The credentials enter as a hash, since the result is kept long.
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

/** The key of an object: its partition, and a player's request for it without the player's own query. */
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
