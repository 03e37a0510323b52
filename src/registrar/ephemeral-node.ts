// Keeps one ephemeral sequential node in ZooKeeper, or takes it out, in spite of lost connections, expired sessions and deletions.

import type { ChannelName } from '../model.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { RegistryLogger } from '../registry/logger.js';
import { readNode } from '../registry/node-writes.js';
import { channelFolder, type WritePlace } from '../registry/write-tree.js';
import { children, exists, Failed, isOpen, makeFolder, remove } from '../registry/zookeeper-calls.js';
import { rc, type Stat, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { withAncestors } from '../tree-pattern.js';
import { OthersValues } from './others-values.js';

export interface NodeSettings {
  readonly place: WritePlace;
  /** Prefix of the sequential name. */
  readonly prefix: string;
  /** With credentials, the nodes that are made here are protected. */
  readonly credentials: string | undefined;
}

const retry: Backoff = { baseMs: 200, maxMs: 5_000 };

interface Node {
  readonly path: string;
  readonly czxid: number;
  readonly ctime: number;
}

interface WrittenNode extends Node {
  /** The data that was read or written last; undefined: not known. */
  readonly data: string | undefined;
  readonly version: number;
}

/** Compares the time too: a server that lost its data may give another node the same path and transaction. */
function isSame({ czxid, ctime }: Node, stat: Stat | undefined): boolean {
  return stat !== undefined && stat.czxid === czxid && stat.ctime === ctime;
}

/** Makes ZooKeeper hold the wanted data, one attempt at a time. */
export class EphemeralNode {
  readonly made: Promise<void>;
  refused: (error: Error) => void = () => {};
  #madeOnce: () => void = () => {};
  #client: ZooKeeperClient | undefined;
  #current: WrittenNode | undefined;
  /** The values of others stay when the node has to be made again. */
  readonly #others = new OthersValues();
  /** The node of an earlier session, which would stay beside the new one until that session expires. */
  #former: Node | undefined;
  /** A create of this session was sent and its result is not known: the node may exist. */
  #maybeCreated = false;
  /** Paths that were made here and are not protected yet. Others may write there until they are. */
  readonly #unprotected = new Set<string>();
  #running = false;
  #again = false;
  #ended = false;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  /** The data that the node should have; undefined: the node should not exist. */
  #wanted: string | undefined;
  /** The node whose child it is: that of the channel, or below it. */
  readonly #folder: string;
  readonly #settings: NodeSettings;
  readonly #logger: RegistryLogger;
  readonly #settled: () => void;

  /** @param settled called whenever nothing is left to do for the moment */
  constructor(
    settings: NodeSettings,
    channel: ChannelName,
    data: string,
    logger: RegistryLogger,
    settled: () => void = () => {},
  ) {
    this.#settings = settings;
    this.#logger = logger;
    this.#settled = settled;
    this.#wanted = data;
    this.#folder = channelFolder(settings.place, channel);
    this.made = new Promise((resolve, reject) => {
      this.#madeOnce = resolve;
      this.refused = reject;
    });
    this.made.catch(() => {});
  }

  get path(): string {
    return this.#current?.path ?? this.#folder;
  }

  attach(client: ZooKeeperClient, fresh: boolean): void {
    this.#client = client;
    if (fresh) this.#maybeCreated = false;
    this.#converge();
  }

  /** Returns false: the session must be kept, since it owns the node. */
  detach(): false {
    this.#client = undefined;
    return false;
  }

  touched(path: string): void {
    if (path === this.#current?.path) this.#converge();
  }

  /** Sets the data of the node. It replaces data that is not written yet. */
  write(data: string): void {
    if (this.#wanted !== undefined) this.#others.supersede(this.#wanted, data);
    this.#wanted = data;
    this.#converge();
  }

  /** Takes the node out as soon as ZooKeeper can be reached. */
  remove(): void {
    this.#wanted = undefined;
    this.#converge();
  }

  /** Whether the node should not exist, and does not. */
  get isGone(): boolean {
    const nothing = this.#current === undefined && this.#former === undefined && !this.#maybeCreated;
    return this.#wanted === undefined && nothing && !this.#running;
  }

  end(): void {
    this.#ended = true;
    this.#client = undefined;
    clearTimeout(this.#retryTimer);
  }

  #converge(): void {
    clearTimeout(this.#retryTimer);
    this.#again = true;
    if (!this.#running) void this.#work();
  }

  async #work(): Promise<void> {
    this.#running = true;
    while (this.#again && this.#client !== undefined) {
      this.#again = false;
      try {
        await (this.#wanted === undefined ? this.#leave(this.#client) : this.#attempt(this.#client, this.#wanted));
        this.#failures = 0;
      } catch (error) {
        this.#tryLater(error);
      }
    }
    this.#running = false;
    this.#settled();
  }

  #tryLater(error: unknown): void {
    if (this.#ended) return;
    const delayMs = backoffDelay(this.#failures++, retry, Math.random);
    this.#retryTimer = setTimeout(() => this.#converge(), delayMs);
    // The session logs a lost connection, and calls `attach` when it goes on. The timer is for when it does not.
    if (error instanceof Failed && error.isLost) return;
    const { message: reason } = error as Error;
    // Rejects `made`; after the first registration this has no effect.
    if (error instanceof Failed && error.code === rc.noAuth) this.refused(error);
    const what = this.#wanted === undefined ? 'not taken out' : 'not registered';
    this.#logger.warn({ path: this.path, reason, retryMs: Math.round(delayMs) }, what);
  }

  async #attempt(client: ZooKeeperClient, data: string): Promise<void> {
    const before = this.#current;
    if (before !== undefined) {
      const stat = await exists(client, before.path);
      const stands = isSame(before, stat);
      if (stands && stat?.mine !== true) this.#former = before;
      if (stat?.mine !== true || !stands) this.#current = undefined;
      else if (stat.version !== before.version) await this.#adopt(client, before);
    }
    if (this.#current === undefined) await this.#make(client, this.#others.over(data));
    if (this.#former !== undefined) {
      if (isSame(this.#former, await exists(client, this.#former.path))) await remove(client, this.#former.path);
      this.#former = undefined;
    }
    await this.#protect(client);
    await this.#write(client);
    this.#madeOnce();
  }

  async #leave(client: ZooKeeperClient): Promise<void> {
    const lost = this.#maybeCreated ? await this.#findOwn(client) : undefined;
    if (lost !== undefined) await remove(client, lost);
    this.#maybeCreated = false;
    for (const node of [this.#current, this.#former]) {
      if (node !== undefined && isSame(node, await exists(client, node.path))) await remove(client, node.path);
    }
    if (this.#current !== undefined) this.#logger.info({ path: this.#current.path }, 'taken out');
    this.#current = undefined;
    this.#former = undefined;
    await this.#protect(client);
  }

  async #make(client: ZooKeeperClient, data: string): Promise<void> {
    const found = this.#maybeCreated ? await this.#findOwn(client) : undefined;
    const path = found ?? (await this.#create(client, data));
    const stat = await exists(client, path);
    if (stat === undefined) throw new Failed(rc.noNode, `${path} vanished`);
    if (this.#settings.credentials !== undefined) this.#unprotected.add(path);
    const { czxid, ctime } = stat;
    const written = found === undefined ? { data, version: 0 } : { data: undefined, version: stat.version };
    this.#current = { path, czxid, ctime, ...written };
    this.#maybeCreated = false;
    await this.#protect(client);
    this.#logger.info({ path }, 'registered');
    if (this.#settings.credentials === undefined || !(await isOpen(client, this.#folder))) return;
    this.#logger.warn(
      { path: this.#folder },
      'everybody may delete the endpoints of this channel and add others: it was made without credentials, set its ACL',
    );
  }

  async #create(client: ZooKeeperClient, data: string): Promise<string> {
    await this.#makeParents(client);
    const target = `${this.#folder}/${this.#settings.prefix}`;
    this.#maybeCreated = true;
    const { code, path } = await new Promise<{ code: number; path: string }>((resolve) => {
      client.create(target, data, 'ephemeral-sequential', (code, path) => resolve({ code, path }));
    });
    if (code === rc.ok) return path;
    const failed = new Failed(code, `create ${target}`);
    this.#maybeCreated = failed.isLost;
    throw failed;
  }

  /** Finds the node of a create whose answer was lost. A session makes only one. */
  async #findOwn(client: ZooKeeperClient): Promise<string | undefined> {
    const names = await children(client, this.#folder);
    for (const name of names.filter((each) => each.startsWith(this.#settings.prefix))) {
      const path = `${this.#folder}/${name}`;
      if ((await exists(client, path))?.mine === true) return path;
    }
    return undefined;
  }

  /** Makes the base, which stays for good, and what is below it as containers, which the server removes when they are empty. */
  async #makeParents(client: ZooKeeperClient): Promise<void> {
    if ((await exists(client, this.#folder)) === undefined) {
      const base = withAncestors(this.#settings.place.base).length - 1;
      for (const [depth, path] of withAncestors(this.#folder).entries()) {
        if (depth < base) await makeFolder(client, path, 'persistent');
        else await this.#makeProtected(client, path, depth === base ? 'persistent' : 'container');
      }
    }
    await this.#protect(client);
  }

  /** The right to create and delete nodes belongs to the node above them. A node that exists already is left to its owner. */
  async #makeProtected(client: ZooKeeperClient, path: string, mode: 'persistent' | 'container'): Promise<void> {
    const made = await makeFolder(client, path, mode);
    if (made !== 'there' && this.#settings.credentials !== undefined) this.#unprotected.add(path);
    if (made === 'maybe') throw new Failed(rc.connectionLoss, `create ${path}`);
    await this.#protect(client);
  }

  /** Protects what was made here; sends again what was lost. */
  async #protect(client: ZooKeeperClient): Promise<void> {
    for (const path of this.#unprotected) {
      const code = await new Promise<number>((resolve) => client.protect(path, resolve));
      if (code !== rc.ok && code !== rc.noNode && code !== rc.noAuth) throw new Failed(code, `protect ${path}`);
      if (code === rc.noAuth) this.#logger.warn({ path }, 'protected by somebody else meanwhile');
      this.#unprotected.delete(path);
    }
  }

  /** Somebody else wrote into the node, or an answer of ours was lost. */
  async #adopt(client: ZooKeeperClient, current: WrittenNode): Promise<void> {
    const node = await readNode(client, current.path);
    if (node === undefined) throw new Failed(rc.noNode, `read ${current.path}`);
    const data = new TextDecoder().decode(node.data);
    this.#others.adopt(current.data, data);
    this.#current = { ...current, data, version: node.stat.version };
  }

  /** Overwrites only the version that was read or written here last: data of somebody else is read first. */
  async #write(client: ZooKeeperClient): Promise<void> {
    const current = this.#current;
    if (current === undefined || this.#wanted === undefined) return;
    const data = this.#others.over(this.#wanted);
    if (current.data === data) return;
    const { code, stat } = await new Promise<{ code: number; stat: Stat | undefined }>((resolve) => {
      client.set(current.path, data, current.version, (code, stat) => resolve({ code, stat }));
    });
    if (code === rc.badVersion) this.#again = true;
    else if (code !== rc.ok) throw new Failed(code, `set ${current.path}`);
    else this.#current = { ...current, data, version: stat?.version ?? current.version + 1 };
  }
}
