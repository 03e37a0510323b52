// Counts the nodes that all trees hold together, so that one writer cannot take more room than the limits allow.

import type { ChannelName } from '../model.js';

/** How many nodes are followed at most. */
export interface TreeLimits {
  /** Nodes below all channels, and nodes above them with the channels themselves. */
  readonly endpoints: number;
  /** Nodes of one channel, in all trees. */
  readonly endpointsPerChannel: number;
}

/** The nodes that all trees hold, by channel, against the limits. Sole owner of these counts. */
export class TreeRoom {
  /** Nodes below channels. */
  endpoints = 0;
  /** Channels' nodes, and nodes between the base and them. */
  folders = 0;
  readonly #ofChannel = new Map<ChannelName, number>();
  readonly #limits: TreeLimits;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  /** How many children a folder may have that has `held` now. */
  forFolder(held: number): number {
    return held + this.#limits.endpoints - this.folders;
  }

  /** How many nodes a channel's node may have below it that has `held` now. */
  forChannel(channel: ChannelName, held: number): number {
    const { endpoints, endpointsPerChannel } = this.#limits;
    return held + Math.min(endpoints - this.endpoints, endpointsPerChannel - this.#of(channel));
  }

  /** Whether a channel may have one more node. */
  takesOne(channel: ChannelName): boolean {
    return this.#of(channel) < this.#limits.endpointsPerChannel;
  }

  /** Nodes of a channel came or, with a negative count, went. */
  count(channel: ChannelName, nodes: number): void {
    const now = this.#of(channel) + nodes;
    if (now === 0) this.#ofChannel.delete(channel);
    else this.#ofChannel.set(channel, now);
  }

  #of(channel: ChannelName): number {
    return this.#ofChannel.get(channel) ?? 0;
  }
}
