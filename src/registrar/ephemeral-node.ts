// Keeps one ephemeral sequential node in ZooKeeper, or takes it out, in spite of lost connections, expired sessions and deletions.

import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { RegistryLogger } from '../registry/logger.js';
import { readNode } from '../registry/node-writes.js';
import { children, exists, Failed, isOpen, remove } from '../registry/zookeeper-calls.js';
import { rc, type Stat, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { below } from '../tree-pattern.js';
import { OthersValues } from './others-values.js';
import { OwnFolders } from './own-folders.js';

export interface NodeSettings {
  /** The node above all folders, which stays for good. */
  readonly base: string;
  /** Its parent: the base, or below it. */
  readonly folder: string;
  /** Of the sequential name; with `isSequential: false` the whole name, which nobody else uses. */
  readonly prefix: string;
  readonly isSequential?: boolean;
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
  readonly #folders: OwnFolders;
  #running = false;
  #again = false;
  #ended = false;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  /** The data that the node should have; undefined: the node should not exist. */
  #wanted: string | undefined;
  readonly #folder: string;
  readonly #settings: NodeSettings;
  readonly #logger: RegistryLogger;
  readonly #settled: () => void;

  /** @param settled called whenever nothing is left to do for the moment */
  constructor(settings: NodeSettings, data: string, logger: RegistryLogger, settled: () => void = () => {}) {
    this.#settings = settings;
    this.#folders = new OwnFolders(settings, logger);
    this.#logger = logger;
    this.#settled = settled;
    this.#wanted = data;
    this.#folder = settings.folder;
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
    await this.#folders.protect(client);
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
    await this.#folders.protect(client);
  }

  async #make(client: ZooKeeperClient, data: string): Promise<void> {
    const found = this.#maybeCreated ? await this.#findOwn(client) : undefined;
    const path = found ?? (await this.#create(client, data));
    const stat = await exists(client, path);
    if (stat === undefined) throw new Failed(rc.noNode, `${path} vanished`);
    this.#folders.made(path);
    const { czxid, ctime } = stat;
    const written = found === undefined ? { data, version: 0 } : { data: undefined, version: stat.version };
    this.#current = { path, czxid, ctime, ...written };
    this.#maybeCreated = false;
    await this.#folders.protect(client);
    this.#logger.info({ path }, 'registered');
    if (this.#settings.credentials === undefined || !(await isOpen(client, this.#folder))) return;
    this.#logger.warn(
      { path: this.#folder },
      'everybody may delete the endpoints of this channel and add others: it was made without credentials, set its ACL',
    );
  }

  async #create(client: ZooKeeperClient, data: string): Promise<string> {
    await this.#folders.make(client);
    const { prefix, isSequential = true } = this.#settings;
    const target = below(this.#folder, prefix);
    // The name is ours alone: this is the node of an earlier session, which would go with that.
    if (!isSequential && (await exists(client, target)) !== undefined) await remove(client, target);
    this.#maybeCreated = true;
    const { code, path } = await new Promise<{ code: number; path: string }>((resolve) => {
      const mode = isSequential ? 'ephemeral-sequential' : 'ephemeral';
      client.create(target, data, mode, (code, path) => resolve({ code, path }));
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
      const path = below(this.#folder, name);
      if ((await exists(client, path))?.mine === true) return path;
    }
    return undefined;
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
