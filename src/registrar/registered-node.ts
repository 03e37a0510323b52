// Keeps an ephemeral sequential node in ZooKeeper, or keeps it away: after a lost connection, an expired session, a deletion.

import type { ChannelName } from '../model.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { RegistryLogger } from '../registry/logger.js';
import { readNode } from '../registry/node-writes.js';
import { children, exists, Failed, isOpen, makeFolder, remove } from '../registry/zookeeper-calls.js';
import { rc, type Stat, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { OthersValues } from './others-values.js';

export interface NodeSettings {
  /** The node whose children are the channels. */
  readonly root: string;
  /** Of the sequential name. */
  readonly prefix: string;
  /** With credentials, what is made is protected. */
  readonly credentials: string | undefined;
}

const retry: Backoff = { base: 200, max: 5_000 };

interface Node {
  readonly path: string;
  readonly czxid: number;
  readonly ctime: number;
}

interface WrittenNode extends Node {
  /** What was read or written last; undefined: not known. */
  readonly data: string | undefined;
  readonly version: number;
}

/** A server that lost its data may give another node the same path and transaction. */
function isSame({ czxid, ctime }: Node, stat: Stat | undefined): boolean {
  return stat !== undefined && stat.czxid === czxid && stat.ctime === ctime;
}

/** Brings what stands in ZooKeeper in line with what should, one attempt at a time. */
export class RegisteredNode {
  readonly made: Promise<void>;
  refused: (error: Error) => void = () => {};
  #madeOnce: () => void = () => {};
  #client: ZooKeeperClient | undefined;
  #current: WrittenNode | undefined;
  /** They stay when the node has to be made again. */
  readonly #others = new OthersValues();
  /** A node of an earlier session, which would stay beside the new one until that session expires. */
  #former: Node | undefined;
  /** A create of this session was sent, and nothing says that it was not done: the node may be there. */
  #maybeCreated = false;
  /** What was made here and is still open to everybody. Between the making and the protecting of a node others may write. */
  readonly #unprotected = new Set<string>();
  #running = false;
  #again = false;
  #ended = false;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  /** What should stand there; undefined: nothing. */
  #wanted: string | undefined;
  readonly #folder: string;
  readonly #settings: NodeSettings;
  readonly #logger: RegistryLogger;
  readonly #settled: () => void;

  /** @param settled is called whenever nothing is left to be done for the moment */
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
    this.#folder = `${settings.root}/${channel}`;
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

  /** The session is worth keeping: it owns the node. */
  detach(): false {
    this.#client = undefined;
    return false;
  }

  touched(path: string): void {
    if (path === this.#current?.path) this.#converge();
  }

  /** What is to stand there from now on; what is not written yet is replaced. */
  write(data: string): void {
    if (this.#wanted !== undefined) this.#others.supersede(this.#wanted, data);
    this.#wanted = data;
    this.#converge();
  }

  /** Takes the node out, as soon as ZooKeeper can be told. */
  remove(): void {
    this.#wanted = undefined;
    this.#converge();
  }

  /** Nothing should stand there, and nothing does. */
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
    const delay = backoffDelay(this.#failures++, retry, Math.random);
    this.#retryTimer = setTimeout(() => this.#converge(), delay);
    // The session says so as well, and when it goes on; the timer is for when it does not.
    if (error instanceof Failed && error.isLost) return;
    const { message: reason } = error as Error;
    // Until the first registration somebody waits to hear of it; it settles nothing afterwards.
    if (error instanceof Failed && error.code === rc.noAuth) this.refused(error);
    const what = this.#wanted === undefined ? 'not taken out' : 'not registered';
    this.#logger.warn({ path: this.path, reason, retryMs: Math.round(delay) }, what);
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

  /** The node that a create whose answer was lost may have made: this session makes only one. */
  async #findOwn(client: ZooKeeperClient): Promise<string | undefined> {
    const names = await children(client, this.#folder);
    for (const name of names.filter((each) => each.startsWith(this.#settings.prefix))) {
      const path = `${this.#folder}/${name}`;
      if ((await exists(client, path))?.mine === true) return path;
    }
    return undefined;
  }

  /** The path to the root stays for good; a channel is a container, which the server removes when it is empty. */
  async #makeParents(client: ZooKeeperClient): Promise<void> {
    if ((await exists(client, this.#folder)) === undefined) {
      const { root } = this.#settings;
      for (let end = root.indexOf('/', 1); end > 0; end = root.indexOf('/', end + 1)) {
        await makeFolder(client, root.slice(0, end), 'persistent');
      }
      await this.#makeProtected(client, root, 'persistent');
      await this.#makeProtected(client, this.#folder, 'container');
    }
    await this.#protect(client);
  }

  /** Who may create and delete nodes is a right on the node above them. One that is there belongs to whoever made it. */
  async #makeProtected(client: ZooKeeperClient, path: string, mode: 'persistent' | 'container'): Promise<void> {
    const made = await makeFolder(client, path, mode);
    if (made !== 'there' && this.#settings.credentials !== undefined) this.#unprotected.add(path);
    if (made === 'maybe') throw new Failed(rc.connectionLoss, `create ${path}`);
    await this.#protect(client);
  }

  /** Sends again what was lost, until nothing is open that was made here. */
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

  /** Only over what was read or written here last: what somebody else wrote is looked at before. */
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
