// An object of a session that another worker owns. It is cached here too: under which key, and what its owner is asked for.

import { objectKey, partitionOf, placeOf, targetOf } from '../url/cache-key.js';
import { type PinKeys, readPin } from '../url/pin.js';
import { parseQuery } from '../url/player-query.js';

/** A player's request for it. */
export interface ForeignRequest {
  /** Canonical. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly authorization: string | undefined;
  /** The Range header field. */
  readonly range: string | undefined;
}

export interface ForeignObject {
  /** Apart from those of sessions: after a change of owners a worker may ask itself. */
  readonly key: string;
  /** The player's range, where the object is one; undefined: the player's Range selects from the object. */
  readonly range: string | undefined;
  /** Players share it though each lends a token of its own: a refusal is for one of them. */
  readonly isLent: boolean;
}

const none: ReadonlySet<string> = new Set();

/**
 * Where the object is cached, and what its owner is asked for.
 *
 * @param unkeyed names of parameters that do not change the bytes (`hls.unkeyedParameters`)
 */
export function foreignObject(
  { path, query, authorization, range }: ForeignRequest,
  unkeyed: ReadonlySet<string>,
  keys: PinKeys,
): ForeignObject {
  const { own, pin, originQuery } = parseQuery(query);
  const ranged = readPin(pin, keys)?.ranged === true ? range : undefined;
  const partition = partitionOf(own, unkeyed, authorization);
  return {
    key: `~${objectKey(partition, placeOf(targetOf(path, pin, originQuery), ranged))}`,
    range: ranged,
    isLent: partition !== partitionOf(own, none, authorization),
  };
}
