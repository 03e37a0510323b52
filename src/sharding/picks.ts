// Picks where channels are shared with peers: an endpoint for a channel of this process, the owner for any other channel.

import type { Balancer, Pick, PickOptions, Picks } from '../balancer/balancer.js';
import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';
import type { Neighbours } from './neighbours.js';
import type { PeerView } from './view.js';

/** The balancer's picks for own channels, else the owner as the only endpoint. */
export class PeerPicks implements Picks {
  readonly #view: PeerView;
  readonly #balancer: Balancer;
  readonly #neighbours: Pick_<Neighbours, 'failed'> | undefined;

  constructor(view: PeerView, balancer: Balancer, neighbours?: Pick_<Neighbours, 'failed'>) {
    this.#view = view;
    this.#balancer = balancer;
    this.#neighbours = neighbours;
  }

  /**
   * An edge that is excluded is avoided for a while, and the next one picked, or an origin.
   *
   * @throws WeirError as the balancer does; worker_lost where the worker that owns it has just failed and the next one is not
   *   known yet
   */
  pick(channel: ChannelName, options?: PickOptions): Pick {
    const excluded = options?.exclude ?? [];
    let peer = this.#view.peerOf(channel);
    for (; peer?.kind === 'edge' && excluded.includes(peer.server); peer = this.#view.peerOf(channel)) {
      this.#neighbours?.failed(channel, peer.name);
    }
    // Without endpoints the balancer throws the error that says why.
    if (peer === undefined || !this.#isRegistered(channel)) return this.#balancer.pick(channel, options);
    if (excluded.includes(peer.server)) throw new WeirError('worker_lost');
    return { endpoint: this.#view.endpointAt(channel, peer), server: peer.server, firstByte() {}, done() {} };
  }

  #isRegistered(channel: ChannelName): boolean {
    return (this.#view.channel(channel)?.endpoints.length ?? 0) > 0;
  }
}

/** `Pick` is a pick here. */
type Pick_<T, K extends keyof T> = { readonly [Name in K]: T[Name] };
