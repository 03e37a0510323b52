// A player's request for HLS, and the answer to a request for a playlist.

import type { ChannelName } from '../../model.js';
import type { Rendered } from '../presentation/rendered.js';

export interface PlayerRequest {
  readonly channel: ChannelName;
  /** `/live/news` of the player's path, canonical. */
  readonly stem: string;
  /** What follows the stem, canonical. */
  readonly suffix: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** A parameter that goes into each URI of this player's playlists, and nowhere else: no origin sees it, no other player. */
  readonly carried: string;
  readonly authorization: string | undefined;
  /** The Range header field. */
  readonly range: string | undefined;
  /** The player: an address or a network. */
  readonly client: string;
}

/** A playlist ready to be sent. */
export interface PlaylistAnswer {
  /** hit: it was here. miss: the player waited for it. */
  readonly lookup: 'hit' | 'miss';
  readonly kind: Rendered['kind'];
  readonly body: Buffer;
  readonly etag: string;
  /** ms since its endpoint was asked for it, or answered a request that it held. */
  readonly ageMs: number;
  /** The endpoint's address; undefined while none answers. */
  readonly endpoint: string | undefined;
}
