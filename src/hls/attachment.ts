// A session's hold on one endpoint: the pick that lasts as long as it, and what the endpoint knows us by.

import type { Pick } from '../balancer/balancer.js';
import type { Outcome } from '../balancer/policy.js';
import type { ChannelName, ServiceAddress } from '../model.js';
import { Origin } from './origin.js';
import { PlaylistSource } from './playlist-source.js';
import type { SessionContext } from './session-context.js';

export interface SessionName {
  readonly channel: ChannelName;
  /** `/live/news` of players' paths. */
  readonly stem: string;
  /** The player's own query, for those of whom the session is. */
  readonly query: string;
  readonly authorization: string | undefined;
  /** `partitionOf` them. */
  readonly partition: string;
}

export class Attachment {
  readonly pick: Pick;
  /** The endpoint in pins. */
  readonly tag: string;
  readonly source: PlaylistSource;

  constructor(pick: Pick, name: SessionName, context: SessionContext) {
    this.pick = pick;
    this.tag = context.tagOf(pick.endpoint.address);
    this.source = new PlaylistSource(createOrigin(pick.endpoint.address, name, context));
  }

  get origin(): Origin {
    return this.source.origin;
  }

  release(outcome: Outcome): void {
    this.pick.done(outcome);
  }
}

export function createOrigin(address: ServiceAddress, name: SessionName, context: SessionContext): Origin {
  return new Origin({
    client: context.client,
    address,
    channel: name.channel,
    stem: name.stem,
    via: context.via,
    authorization: name.authorization,
    sessionParameters: new Set(context.settings.sessionParameters),
  });
}
