// Keeps endpoints in ZooKeeper: one session and the nodes that it owns.

import { OperatorError } from '../errors.js';
import type { ChannelName } from '../model.js';
import type { RegistryLogger } from '../registry/logger.js';
import { channelFolder, type WritePlace } from '../registry/write-tree.js';
import { type ConnectClient, loadClient, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { keepSession, type SessionSettings } from '../registry/zookeeper-session.js';
import { EphemeralNode } from './ephemeral-node.js';
import type { Keeper, Kept } from './keeper.js';

interface Settings extends SessionSettings {
  readonly place: WritePlace;
  /** Prefix of the sequential names. */
  readonly prefix: string;
}

/** Opens a session for any number of endpoints. @throws OperatorError where the client is missing */
export async function keepInZooKeeper(settings: Settings, logger: RegistryLogger): Promise<Keeper> {
  return new SessionKeeper(await loadClient(), settings, logger);
}

/** Nodes are by channel: when a channel is registered again before its node is gone, the same object is used. */
export class SessionKeeper implements Keeper {
  readonly #nodes = new Map<ChannelName, EphemeralNode>();
  #report: EphemeralNode | undefined;
  readonly #stop = new AbortController();
  readonly #session: Promise<void>;
  /** Undefined without a connection. */
  #client: ZooKeeperClient | undefined;
  /** Why no session can be opened. */
  #hopeless: Error | undefined;
  readonly #settings: Settings;
  readonly #logger: RegistryLogger;

  constructor(connect: ConnectClient, settings: Settings, logger: RegistryLogger) {
    this.#settings = settings;
    this.#logger = logger;
    const handler = {
      connected: (client: ZooKeeperClient, fresh: boolean) => {
        this.#client = client;
        this.#hopeless = undefined;
        for (const node of this.#all()) node.attach(client, fresh);
      },
      // The session must be kept, since it owns the nodes.
      disconnected: () => {
        this.#client = undefined;
        for (const node of this.#all()) node.detach();
        return false;
      },
      watch: (_: unknown, path: string) => {
        for (const node of this.#all()) node.touched(path);
      },
      changed: (state: string) => {
        if (state === 'auth_failed')
          this.#giveUp(new OperatorError('ZooKeeper refused registry.zookeeper.credentials'));
      },
    };
    this.#session = keepSession(connect, settings, handler, logger, this.#stop.signal).catch((error: Error) => {
      this.#giveUp(error);
    });
  }

  keep(channel: ChannelName, data: string): Kept {
    const leaving = this.#nodes.get(channel);
    const node = leaving ?? this.#add(channel, data);
    if (leaving !== undefined) leaving.write(data);
    return keptOf(node);
  }

  report(folder: string, name: string, data: string): Kept {
    const { credentials } = this.#settings;
    const settings = { base: folder, folder, prefix: name, isSequential: false, credentials };
    this.#report = new EphemeralNode(settings, data, this.#logger);
    this.#begin(this.#report);
    return keptOf(this.#report);
  }

  async close(): Promise<void> {
    // Its ephemeral nodes end with the session.
    for (const node of this.#all()) node.end();
    this.#nodes.clear();
    this.#report = undefined;
    this.#stop.abort();
    await this.#session;
  }

  #add(channel: ChannelName, data: string): EphemeralNode {
    const { place, prefix, credentials } = this.#settings;
    const settings = { base: place.base, folder: channelFolder(place, channel), prefix, credentials };
    const node = new EphemeralNode(settings, data, this.#logger, () => {
      if (node.isGone) this.#nodes.delete(channel);
    });
    this.#nodes.set(channel, node);
    this.#begin(node);
    return node;
  }

  #begin(node: EphemeralNode): void {
    if (this.#hopeless !== undefined) node.refused(this.#hopeless);
    if (this.#client !== undefined) node.attach(this.#client, true);
  }

  /** What endpoints name comes before them. */
  *#all(): Generator<EphemeralNode> {
    if (this.#report !== undefined) yield this.#report;
    yield* this.#nodes.values();
  }

  #giveUp(error: Error): void {
    this.#hopeless = error;
    for (const node of this.#all()) node.refused(error);
  }
}

function keptOf(node: EphemeralNode): Kept {
  return {
    get path() {
      return node.path;
    },
    made: node.made,
    write: (data) => node.write(data),
    remove: () => node.remove(),
  };
}
