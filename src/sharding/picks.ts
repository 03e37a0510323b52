// Picks for what all workers share: of the endpoints for a channel of one's own, of its owner for any other.

import type { Balancer, Pick, PickOptions, Picks } from '../balancer/balancer.js';
import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';
import { peerServer } from '../net-address.js';
import type { PeerView } from './view.js';

export class PeerPicks implements Picks {
  readonly #view: PeerView;
  readonly #balancer: Balancer;

  constructor(view: PeerView, balancer: Balancer) {
    this.#view = view;
    this.#balancer = balancer;
  }

  /** Throws as the balancer does, and worker_lost where the owner has just failed: the next one is not known yet. */
  pick(channel: ChannelName, options?: PickOptions): Pick {
    const peer = this.#view.peerOf(channel);
    const [endpoint] = this.#view.store.channel(channel)?.endpoints ?? [];
    // Without endpoints the balancer says in its words what is wrong.
    if (peer === undefined || endpoint === undefined) return this.#balancer.pick(channel, options);
    const server = peerServer(peer.name);
    if (options?.exclude?.includes(server) === true) throw new WeirError('worker_lost');
    return { endpoint, server, firstByte() {}, done() {} };
  }
}
