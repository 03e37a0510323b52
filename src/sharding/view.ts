// The snapshot as one of several workers sees it. A channel of its own has the registered endpoints; every other channel has
// one endpoint, the worker that owns it. Relays and HLS read this view: they pull from a worker as from any endpoint, and
// leave a worker that is gone like an endpoint that was deleted.

import type { ChannelName, Endpoint, EndpointId, EndpointRef, ServiceAddress } from '../model.js';
import { peerServer } from '../net-address.js';
import { SnapshotStore } from '../snapshot/store.js';
import { refOf, type SnapshotChange, sameEndpoint } from '../snapshot/update.js';
import { type Member, ownerOf } from './owner.js';

/**
 * A snapshot store derived from the registered one and the members. Sole owner of which worker owns what, in this
 * process.
 */
export class PeerView {
  /** What relays and HLS read. */
  readonly store = new SnapshotStore();
  readonly #registered: SnapshotStore;
  readonly #self: string;
  #members: readonly Member[] = [];
  #drainingAs: Member | undefined;
  readonly #unsubscribe: () => void;

  /** @param self the name of this worker; @param registered what the control plane published */
  constructor(self: string, registered: SnapshotStore) {
    this.#self = self;
    this.#registered = registered;
    this.#unsubscribe = registered.subscribe((_snapshot, change) => this.#registryChanged(change), 'owners');
    this.#publishAll();
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
    this.#publishAll();
  }

  /** A worker that drains keeps its channels to the end; its successor starts without them. */
  keepOwn(self: Member): void {
    this.#drainingAs = self;
    this.#publishAll();
  }

  close(): void {
    this.#unsubscribe();
  }

  #endpointsOf(channel: ChannelName): readonly Endpoint[] {
    const registered = this.#registered.channel(channel)?.endpoints ?? [];
    const peer = registered.length === 0 ? undefined : this.peerOf(channel);
    return peer === undefined ? registered : [peerEndpoint(channel, peer)];
  }

  #registryChanged(change: SnapshotChange): void {
    const put: Endpoint[] = [];
    const drop: EndpointRef[] = [];
    for (const channel of new Set([...change.drop, ...change.put].map((endpoint) => endpoint.channel))) {
      const before = this.store.channel(channel)?.endpoints ?? [];
      const after = this.#endpointsOf(channel);
      for (const endpoint of before) if (!after.some(({ id }) => id === endpoint.id)) drop.push(refOf(endpoint));
      for (const endpoint of after) if (!before.some((known) => sameEndpoint(known, endpoint))) put.push(endpoint);
    }
    const { revision } = this.store.current;
    const { state } = this.#registered.current;
    this.store.accept({ kind: 'delta', base: revision, revision: revision + 1, state, put, drop });
  }

  #publishAll(): void {
    const { state, channels } = this.#registered.current;
    const endpoints = [...channels.keys()].flatMap((channel) => this.#endpointsOf(channel));
    this.store.accept({ kind: 'full', revision: this.store.current.revision + 1, state, endpoints });
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
