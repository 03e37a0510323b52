// The nouns of weir as types. Nothing in this file runs.

declare const brand: unique symbol;
type Branded<T, B> = T & { readonly [brand]: B };

/** The name of one live stream, the `<channel>` of `/channels/<channel>`. One path segment, never empty. */
export type ChannelName = Branded<string, 'ChannelName'>;
/** Path and creation transaction of a znode (or lease): a node that is made again is another endpoint. */
export type EndpointId = Branded<string, 'EndpointId'>;
/** `host:port`, `http(s)://host:port[/path]` or a URL template with `{channel}` and `{rest}`; already validated. */
export type ServiceAddress = Branded<string, 'ServiceAddress'>;

/** `http(s)://host:port`: the server behind a service address, which may carry many channels. */
export type ServerOrigin = Branded<string, 'ServerOrigin'>;

/** What a registration may say of an endpoint beside its address and its load; what is absent was not said. */
export interface Traits {
  /** True: it is about to end. Streams leave it without an interruption; it is picked only where nothing else is left. */
  readonly draining?: true;
  /** Its share of the picks in relation to the others of the channel, and its starting capacity; absent is 1, 0 is none. */
  readonly weight?: number;
  /** Where it stands; endpoints of the edge's own zone are preferred. */
  readonly zone?: string;
  /** A whole number: endpoints of the lowest one that has any are used. Absent is 0. */
  readonly priority?: number;
  /** The version of the service, as its registration names it. */
  readonly release?: string;
  /** All other properties of the registration, for operators. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Another worker of this edge, or another edge. */
export type PeerKind = 'worker' | 'edge';

/** One origin that serves one channel, as it last reported itself. */
export interface Endpoint extends Traits {
  readonly id: EndpointId;
  readonly channel: ChannelName;
  readonly address: ServiceAddress;
  /** Fraction 0..1; undefined is unknown, which is not zero. */
  readonly load: number | undefined;
  /** kbit/s; undefined is unknown. */
  readonly bitrate: number | undefined;
  /** Fraction 0..1; undefined is unknown. */
  readonly packetLoss: number | undefined;
  /** Grows with every report of this endpoint (the znode's version). */
  readonly version: number;
  /** True: it vanished together with most of the registry and is kept for a while as a last resort. */
  readonly lastResort?: boolean;
  /** No origin, but a peer, which has players of its own and moves to another origin by itself. */
  readonly peer?: PeerKind;
}

/** Enough of an endpoint to take it out of a snapshot. */
export type EndpointRef = Pick<Endpoint, 'id' | 'channel'>;

export interface Channel {
  readonly name: ChannelName;
  readonly endpoints: readonly Endpoint[];
}

/** pending: nothing was ever read. live: follows the registry. stale: the registry is out of reach, last known picture. */
export type SnapshotState = 'pending' | 'live' | 'stale';

/** What readers need of a map of channels. */
export type ChannelMap = Pick<ReadonlyMap<ChannelName, Channel>, 'size' | 'get' | 'has' | 'keys' | 'values'>;

/** The immutable picture of all channels at one revision; readers load one reference per request. */
export interface Snapshot {
  readonly revision: number;
  readonly state: SnapshotState;
  readonly channels: ChannelMap;
}

/**
 * What a data plane is told. A `delta` applies only on the snapshot whose revision is `base`. One that is a piece of a larger
 * change has its base as its revision: what it leads to is on the way to the next revision, each channel as it was or as it
 * will be.
 */
export type Update =
  | {
      readonly kind: 'full';
      readonly revision: number;
      readonly state: SnapshotState;
      readonly endpoints: readonly Endpoint[];
    }
  | {
      readonly kind: 'delta';
      readonly base: number;
      readonly revision: number;
      readonly state: SnapshotState;
      readonly put: readonly Endpoint[];
      readonly drop: readonly EndpointRef[];
    };
