// A session's link to one endpoint: the pick, which lasts as long as the link, and the client with its cookies.

import type { Pick } from '../../balancer/balancer.js';
import type { Outcome } from '../../errors.js';
import type { ServerOrigin, ServiceAddress } from '../../model.js';
import { OriginClient } from './origin-client.js';
import { PlaylistLoader } from './playlist-loader.js';
import type { SessionContext } from './session-context.js';
import type { SessionName } from './session-name.js';

/** It lasts until `release`. */
export class OriginLink {
  readonly pick: Pick;
  /** The endpoint in pins. */
  readonly tag: string;
  readonly loader: PlaylistLoader;
  #isReleased = false;

  constructor(pick: Pick, name: SessionName, context: SessionContext) {
    this.pick = pick;
    this.tag = context.tagOf(pick.endpoint.address);
    this.loader = new PlaylistLoader(createOrigin(pick.endpoint.address, name, context));
  }

  get server(): ServerOrigin {
    return this.pick.server;
  }

  get origin(): OriginClient {
    return this.loader.origin;
  }

  /** It is not to become the session's any more. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Ends the pick. Safe to call again: the first outcome counts. */
  release(outcome: Outcome): void {
    this.#isReleased = true;
    this.pick.done(outcome);
  }
}

/** A client of the endpoint at that address, without a session of its own yet. */
export function createOrigin(address: ServiceAddress, name: SessionName, context: SessionContext): OriginClient {
  return new OriginClient({
    client: context.client,
    address,
    channel: name.channel,
    stem: name.stem,
    via: context.via,
    authorization: name.authorization,
    sessionParameters: new Set(context.settings.sessionParameters),
  });
}
