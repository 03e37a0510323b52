// The interface of what keeps endpoints registered through outages: in ZooKeeper, or as leases of an edge.

import type { ChannelName } from '../model.js';

/** Keeps any number of endpoints, one a channel, over one session or one set of connections. */
export interface Keeper {
  /** Registers `data` (ChannelInfo as JSON) for the channel. An earlier endpoint of the channel must have been removed. */
  keep(channel: ChannelName, data: string): Kept;
  /**
   * Keeps a node with this name below `folder`, which endpoints may name as their report: once, beside all endpoints. A name
   * that nobody else uses. Undefined: this registry has none.
   */
  report?(folder: string, name: string, data: string): Kept;
  /** Takes all endpoints out and ends. Idempotent. */
  close(): Promise<void>;
}

/** One endpoint that is kept registered. */
export interface Kept {
  /** Its present place: a znode path or a URL. */
  readonly path: string;
  /** Resolves when it is registered for the first time; rejects with an error that no retry mends. It is tried again all the same. */
  readonly made: Promise<void>;
  /** Replaces the data. */
  write(data: string): void;
  /** Takes it out as soon as the registry can be reached. */
  remove(): void;
}
