// The channels as one of several workers sees them. A channel of its own has the registered endpoints; every other channel has
// one endpoint, the worker that owns it. Relays read this view: they pull from a worker as from any endpoint, and leave a
// worker that is gone like an endpoint that was deleted. Nothing is kept for a channel that nobody follows: it is computed
// when somebody asks.

import type { Channel, ChannelName, Endpoint, EndpointId, ServiceAddress } from '../model.js';
import { peerServer } from '../net-address.js';
import type { ChannelSource, SnapshotStore } from '../snapshot/store.js';
import { type Member, ownerOf } from './owner.js';

/** What is registered, seen through the members. Sole owner of which worker owns what, in this process. */
export class PeerView implements ChannelSource {
  readonly #registered: SnapshotStore;
  readonly #self: string;
  #members: readonly Member[] = [];
  #drainingAs: Member | undefined;
  readonly #followers = new Set<() => void>();

  /** @param self the name of this worker; @param registered what the control plane published */
  constructor(self: string, registered: SnapshotStore) {
    this.#self = self;
    this.#registered = registered;
  }

  /** What streams of the channel are pulled from. */
  channel(name: ChannelName): Channel | undefined {
    const registered = this.#registered.channel(name);
    const peer = registered === undefined ? undefined : this.peerOf(name);
    return peer === undefined ? registered : { name, endpoints: [peerEndpoint(name, peer)] };
  }

  /** Calls `changed` when the channel may be another one, in the registry or by its owner. Returns a function that ends it. */
  follow(channel: ChannelName, changed: () => void): () => void {
    const leave = this.#registered.follow(channel, changed);
    const told = () => changed();
    this.#followers.add(told);
    return () => {
      leave();
      this.#followers.delete(told);
    };
  }

  /** The worker that owns the channel; undefined when it is this one, or not known. */
  peerOf(channel: ChannelName): Member | undefined {
    const self = this.#drainingAs;
    const others = self === undefined ? this.#members : this.#members.filter(({ slot }) => slot !== self.slot);
    const owner = ownerOf(channel, self === undefined ? others : [...others, self]);
    return owner?.name === this.#self ? undefined : owner;
  }

  /** True where no other worker is known to have the channel. */
  owns(channel: ChannelName): boolean {
    return this.peerOf(channel) === undefined;
  }

  /** The worker that has the channel for whoever asks now, this one perhaps; one that drains has none. */
  ownerOf(channel: ChannelName): Member | undefined {
    return ownerOf(channel, this.#members);
  }

  /** True where another worker has the channel for whoever asks now. */
  isElsewhere(channel: ChannelName): boolean {
    const owner = this.ownerOf(channel);
    return owner !== undefined && owner.name !== this.#self;
  }

  /** These workers serve now. */
  setMembers(members: readonly Member[]): void {
    this.#members = members;
    this.#tellFollowers();
  }

  /** A worker that drains keeps its channels to the end; its successor starts without them. */
  keepOwn(self: Member): void {
    this.#drainingAs = self;
    this.#tellFollowers();
  }

  #tellFollowers(): void {
    for (const changed of [...this.#followers]) changed();
  }
}

/** A worker is neither loaded nor lossy: it is the only way to the channel. */
function peerEndpoint(channel: ChannelName, { name }: Member): Endpoint {
  return {
    id: `~${name}/${channel}` as EndpointId,
    channel,
    address: peerServer(name) as string as ServiceAddress,
    load: 0,
    bitrate: undefined,
    packetLoss: 0,
    version: 0,
    isPeer: true,
  };
}
