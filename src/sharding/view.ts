// The channels as one process that serves players sees them. A channel of its own has the registered endpoints; every other
// channel has one endpoint, the peer that owns it: another worker of this edge, or another edge of the site. Relays read this
// view: they pull from a peer as from any endpoint, and leave a peer that is gone like an endpoint that was deleted. Nothing is
// kept for a channel that nobody follows: it is computed when somebody asks.

import type { Channel, ChannelName, Endpoint, EndpointId, PeerKind, ServerOrigin, ServiceAddress } from '../model.js';
import { edgeServer, peerServer } from '../net-address.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import type { Neighbours } from './neighbours.js';
import { type Member, ownerOf } from './owner.js';

/** Whom a channel is taken from, where not from the origins. */
export interface Peer {
  readonly kind: PeerKind;
  readonly name: string;
  readonly server: ServerOrigin;
}

/**
 * What is registered, seen through the members and the edges. Sole owner of who owns what, in this process. A channel has an
 * owner among the edges; within this edge only the worker that owns it asks there.
 */
export class PeerView implements ChannelSource {
  readonly #registered: SnapshotStore;
  readonly #self: string;
  readonly #neighbours: Pick<Neighbours, 'ownerOf' | 'generation'> | undefined;
  #members: readonly Member[] = [];
  #drainingAs: Member | undefined;
  readonly #followers = new Set<{ readonly channel: ChannelName; readonly changed: () => void }>();

  /**
   * @param self the name of this worker
   * @param registered what the control plane published
   * @param neighbours undefined: no channel is taken from another edge
   */
  constructor(self: string, registered: SnapshotStore, neighbours?: Pick<Neighbours, 'ownerOf' | 'generation'>) {
    this.#registered = registered;
    this.#self = self;
    this.#neighbours = neighbours;
  }

  /** What streams of the channel are pulled from. */
  channel(name: ChannelName): Channel | undefined {
    const registered = this.#registered.channel(name);
    const peer = registered === undefined ? undefined : this.peerOf(name);
    return peer === undefined ? registered : { name, endpoints: [this.endpointAt(name, peer)] };
  }

  /** Calls `changed` when the channel may be another one, in the registry or by its owner. Returns a function that ends it. */
  follow(channel: ChannelName, changed: () => void): () => void {
    const leave = this.#registered.follow(channel, changed);
    const told = { channel, changed };
    this.#followers.add(told);
    return () => {
      leave();
      this.#followers.delete(told);
    };
  }

  /** Whom a stream of the channel is taken from; undefined: the origins, as far as is known. */
  peerOf(channel: ChannelName): Peer | undefined {
    return this.#workerFor(channel) ?? this.#edgeFor(channel);
  }

  /** True where no other worker is known to have the channel. */
  owns(channel: ChannelName): boolean {
    return this.#workerFor(channel) === undefined;
  }

  /** The worker that has the channel for whoever asks now, this one perhaps; one that drains has none. */
  ownerOf(channel: ChannelName): Member | undefined {
    return ownerOf(channel, this.#members);
  }

  /** Whom the channel is to be asked of now; undefined: it is here. */
  elsewhere(channel: ChannelName): Peer | undefined {
    const owner = this.ownerOf(channel);
    return owner === undefined || owner.name === this.#self ? this.#edgeFor(channel) : workerPeer(owner);
  }

  /** These workers serve now. */
  setMembers(members: readonly Member[]): void {
    this.#members = members;
    this.ownersChanged('all');
  }

  /** Another peer may have these channels now. */
  ownersChanged(channels: ReadonlySet<ChannelName> | 'all'): void {
    for (const { channel, changed } of [...this.#followers]) {
      if (channels === 'all' || channels.has(channel)) changed();
    }
  }

  /** A worker that drains keeps its channels to the end; its successor starts without them. */
  keepOwn(self: Member): void {
    this.#drainingAs = self;
    this.ownersChanged('all');
  }

  /** A peer is neither loaded nor lossy: it is the way to the channel. One that may be tried again is another endpoint. */
  endpointAt(channel: ChannelName, { kind, name, server }: Peer): Endpoint {
    const generation = kind === 'edge' ? (this.#neighbours?.generation(channel, name) ?? 0) : 0;
    return {
      id: `~${name}${generation === 0 ? '' : `#${generation}`}/${channel}` as EndpointId,
      channel,
      address: server as string as ServiceAddress,
      load: 0,
      bitrate: undefined,
      packetLoss: 0,
      version: 0,
      peer: kind,
    };
  }

  #workerFor(channel: ChannelName): Peer | undefined {
    const self = this.#drainingAs;
    const others = self === undefined ? this.#members : this.#members.filter(({ slot }) => slot !== self.slot);
    const owner = ownerOf(channel, self === undefined ? others : [...others, self]);
    return owner === undefined || owner.name === this.#self ? undefined : workerPeer(owner);
  }

  #edgeFor(channel: ChannelName): Peer | undefined {
    const edge = this.#neighbours?.ownerOf(channel);
    return edge === undefined ? undefined : { kind: 'edge', name: edge.name, server: edgeServer(edge.name) };
  }
}

const workerPeer = ({ name }: Member): Peer => ({ kind: 'worker', name, server: peerServer(name) });
