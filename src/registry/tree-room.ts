// Counts the endpoints and nodes that all trees hold together, so that one writer cannot take more room than the limits
// allow, with many nodes or with long lists in few of them.

import type { ChannelName } from '../model.js';
import type { Decoded } from './formats/format.js';
import type { TreeNode } from './tree-node.js';

/** How many nodes and endpoints are followed at most. A node counts as one endpoint until it is known to register more. */
export interface TreeLimits {
  /** Endpoints below all channels, and nodes above them with the channels themselves. */
  readonly endpoints: number;
  /** Endpoints of one channel, in all trees. */
  readonly endpointsPerChannel: number;
}

type Counted = Pick<TreeNode, 'extra' | 'leftOut'>;

/** What all trees hold, by channel, against the limits. Sole owner of these counts. */
export class TreeRoom {
  /** Nodes below channels, and the endpoints that nodes register beside their first. */
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

  /**
   * What the data of a node register, as far as there is room: the first endpoints of a long list. Replaces what was counted
   * for the node before.
   *
   * @param places endpoints that are counted with the node itself
   */
  admit(channel: ChannelName, node: Counted, decoded: Decoded, places: 0 | 1): Decoded {
    this.release(channel, node);
    if (decoded.kind !== 'endpoints') return decoded;
    const { registrations } = decoded;
    const wanted = registrations.length - places;
    const room = Math.max(0, this.forChannel(channel, 0));
    const extra = Math.min(wanted, room);
    if (extra > 0) this.#countExtra(channel, node, extra);
    if (extra === wanted) return decoded;
    node.leftOut = wanted - extra;
    const [first, ...others] = registrations.slice(0, places + extra);
    return first === undefined ? { kind: 'nothing' } : { ...decoded, registrations: [first, ...others] };
  }

  /** A node registers nothing any more. */
  release(channel: ChannelName, node: Counted): void {
    if (node.extra > 0) this.#countExtra(channel, node, -node.extra);
    node.leftOut = 0;
  }

  /** Nodes of a channel came or, with a negative count, went. */
  count(channel: ChannelName, nodes: number): void {
    const now = this.#of(channel) + nodes;
    if (now === 0) this.#ofChannel.delete(channel);
    else this.#ofChannel.set(channel, now);
  }

  #countExtra(channel: ChannelName, node: Counted, change: number): void {
    node.extra += change;
    this.endpoints += change;
    this.count(channel, change);
  }

  #of(channel: ChannelName): number {
    return this.#ofChannel.get(channel) ?? 0;
  }
}
