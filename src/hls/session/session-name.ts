// The name of an HLS session. It stands for the players of one channel who may be given the same bytes.

import type { ChannelName } from '../../model.js';

export interface SessionName {
  readonly channel: ChannelName;
  /** `/live/news` of players' paths. */
  readonly stem: string;
  /** The own query of the players who share the session. */
  readonly query: string;
  readonly authorization: string | undefined;
  /** `partitionOf` them. */
  readonly partition: string;
}

/** The key under which the session is kept. No credentials are in it. */
export function sessionKey(name: SessionName): string {
  return `${name.channel} ${name.stem} ${name.partition}`;
}
