// What keeps endpoints in a registry, whatever happens to it: the same whether it is ZooKeeper or leases of an edge.

import type { ChannelName } from '../model.js';

/** Keeps any number of endpoints, one a channel, over one session or one set of connections. */
export interface Keeper {
  /** From now on `data` (ChannelInfo as JSON) stands there for the channel, of which the one before was removed. */
  keep(channel: ChannelName, data: string): Kept;
  /** Takes all of them out and ends. Idempotent. */
  close(): Promise<void>;
}

/** One endpoint that is kept. */
export interface Kept {
  /** Where it stands now: a znode path or a URL. */
  readonly path: string;
  /** Resolves when it stood there for the first time; rejects with what no retry heals. It is tried again all the same. */
  readonly made: Promise<void>;
  /** Replaces the data. */
  write(data: string): void;
  /** Takes it out, as soon as the registry can be told. */
  remove(): void;
}
