// Picks where workers share channels: an endpoint for a channel of this worker, the owner for any other channel.

import type { Balancer, Pick, PickOptions, Picks } from '../balancer/balancer.js';
import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';
import { peerServer } from '../net-address.js';
import type { PeerView } from './view.js';

/** Picks for one of several workers: the balancer's for own channels, else the owner as the only endpoint. */
export class PeerPicks implements Picks {
  readonly #view: PeerView;
  readonly #balancer: Balancer;

  constructor(view: PeerView, balancer: Balancer) {
    this.#view = view;
    this.#balancer = balancer;
  }

  /** @throws WeirError as the balancer does; worker_lost where the owner has just failed and the next one is not known yet */
  pick(channel: ChannelName, options?: PickOptions): Pick {
    const peer = this.#view.peerOf(channel);
    const [endpoint] = this.#view.channel(channel)?.endpoints ?? [];
    // Without endpoints the balancer throws the error that says why.
    if (peer === undefined || endpoint === undefined) return this.#balancer.pick(channel, options);
    const server = peerServer(peer.name);
    if (options?.exclude?.includes(server) === true) throw new WeirError('worker_lost');
    return { endpoint, server, firstByte() {}, done() {} };
  }
}
