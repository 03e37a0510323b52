// The mapping between the URIs in an endpoint's playlist and the URLs of the edge.

import type { Mapping } from '../url/rewrite.js';
import type { OriginLink } from './origin-link.js';
import type { FetchedPlaylist } from './playlist-loader.js';
import type { SessionContext } from './session-context.js';
import type { SessionName } from './session-name.js';

/** For whom a mapping is made. */
export interface MappedFor {
  readonly name: Pick<SessionName, 'stem'>;
  readonly context: {
    readonly settings: Pick<SessionContext['settings'], 'unkeyedParameters'>;
    readonly keys: SessionContext['keys'];
  };
}

/**
 * @param suffix path of the playlist behind the stem
 * @param incarnation which beginning of the endpoint's numbers the playlist belongs to
 */
export function mappingOf(
  { name: { stem }, context: { settings, keys } }: MappedFor,
  { origin, tag }: OriginLink,
  suffix: string,
  { base, hidden }: Pick<FetchedPlaylist, 'base' | 'hidden'>,
  incarnation: string,
): Mapping {
  return {
    base,
    home: origin.base,
    playlistPath: stem + suffix,
    stem,
    forward: (of) => origin.forward(of),
    endpoint: tag,
    incarnation,
    hidden: new Set([...hidden, ...settings.unkeyedParameters]),
    keys,
  };
}
