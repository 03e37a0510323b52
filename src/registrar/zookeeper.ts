// Keeps an ephemeral sequential node in ZooKeeper: after a lost connection, an expired session, a deletion.

import { type Backoff, backoffDelay } from '../registry/backoff.js';
import { encodeChannelInfo } from '../registry/formats/channel-info.js';
import type { RegistryLogger } from '../registry/messages.js';
import { isLost, loadClient, rc, type Stat, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { keepSession, type SessionSettings } from '../registry/zookeeper-session.js';
import type { RegisteredEndpoint } from './http.js';
import { mergeValues, type Registration, type ReportedValues } from './registration.js';

export interface NodeSettings extends SessionSettings {
  /** The node whose children are the channels. */
  readonly root: string;
  /** Of the sequential name. */
  readonly prefix: string;
}

const retry: Backoff = { base: 200, max: 5_000 };

/** Resolves when the node was made. */
export async function registerInZooKeeper(
  settings: NodeSettings,
  endpoint: RegisteredEndpoint,
  logger: RegistryLogger,
  signal?: AbortSignal,
): Promise<Registration> {
  const connect = await loadClient();
  const node = new RegisteredNode(settings, endpoint, logger);
  const stop = new AbortController();
  const session = keepSession(
    connect,
    settings,
    {
      connected: (client, fresh) => node.attach(client, fresh),
      disconnected: () => node.detach(),
      watch: (_, path) => node.touched(path),
      changed: (state) => {
        logger.info({ state }, 'ZooKeeper session');
        if (state === 'auth_failed') node.refused(new Error('ZooKeeper refused registry.zookeeper.credentials'));
      },
    },
    logger,
    stop.signal,
  );
  const close = async () => {
    // A session that ends takes its ephemeral nodes along.
    node.end();
    stop.abort();
    await session;
  };
  const onAbort = () => node.refused(new Error('given up before it was registered'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    await Promise.race([node.made, session]);
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return {
    get path() {
      return node.path;
    },
    update: (values) => node.update(values),
    close,
  };
}

const reasons: Record<number, string> = {
  [rc.noAuth]: 'not authorized, see registry.zookeeper.credentials and the ACL',
  [rc.noNode]: 'no such node; a chroot has to exist beforehand',
  [rc.noChildrenForEphemerals]: 'the channel is an ephemeral node itself, which can have no endpoints below it',
};

/** An answer that ends an attempt. `lost`: the session will tell when to go on. */
class Failed extends Error {
  constructor(
    readonly code: number,
    what: string,
  ) {
    super(`${what}: ${reasons[code] ?? 'failed'} (${code})`);
  }
}

/** Brings what stands in ZooKeeper in line with what should, one attempt at a time. */
class RegisteredNode {
  readonly made: Promise<void>;
  refused: (error: Error) => void = () => {};
  private madeOnce: () => void = () => {};
  private client: ZooKeeperClient | undefined;
  private current: { readonly path: string; readonly czxid: number; readonly data: string } | undefined;
  /** A create of this session was sent and its answer lost: the node may be there. */
  private createLost = false;
  private running = false;
  private again = false;
  private ended = false;
  private failures = 0;
  private retryTimer: NodeJS.Timeout | undefined;
  private values: Required<ReportedValues>;
  private readonly folder: string;

  constructor(
    private readonly settings: NodeSettings,
    private readonly endpoint: RegisteredEndpoint,
    private readonly logger: RegistryLogger,
  ) {
    this.values = endpoint.values;
    this.folder = `${settings.root}/${endpoint.channel}`;
    this.made = new Promise((resolve, reject) => {
      this.madeOnce = resolve;
      this.refused = reject;
    });
    this.made.catch(() => {});
  }

  get path(): string {
    return this.current?.path ?? this.folder;
  }

  attach(client: ZooKeeperClient, fresh: boolean): void {
    this.client = client;
    if (fresh) this.createLost = false;
    this.converge();
  }

  /** The session is worth keeping: it owns the node. */
  detach(): false {
    this.client = undefined;
    return false;
  }

  touched(path: string): void {
    if (path === this.current?.path) this.converge();
  }

  update(values: ReportedValues): void {
    this.values = mergeValues(this.values, values);
    this.converge();
  }

  end(): void {
    this.ended = true;
    this.client = undefined;
    clearTimeout(this.retryTimer);
  }

  private converge(): void {
    clearTimeout(this.retryTimer);
    this.again = true;
    if (!this.running) void this.work();
  }

  private async work(): Promise<void> {
    this.running = true;
    while (this.again && this.client !== undefined) {
      this.again = false;
      try {
        await this.attempt(this.client);
        this.failures = 0;
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        if (!isLost(error.code)) this.tryLater(error);
      }
    }
    this.running = false;
  }

  private tryLater(error: Failed): void {
    if (this.ended) return;
    // Until the first registration somebody waits to hear of it; it settles nothing afterwards.
    if (error.code === rc.noAuth) this.refused(error);
    const delay = backoffDelay(this.failures++, retry, Math.random);
    this.logger.warn({ reason: error.message, retryMs: Math.round(delay) }, 'not registered');
    this.retryTimer = setTimeout(() => this.converge(), delay);
  }

  private async attempt(client: ZooKeeperClient): Promise<void> {
    const before = this.current;
    const stat = before === undefined ? undefined : await exists(client, before.path);
    const stands = before !== undefined && stat?.czxid === before.czxid;
    if (!stands || !stat.mine) this.current = undefined;
    if (this.current === undefined) await this.make(client);
    // The node of a session that could not be ended would stay beside the new one until it expires.
    if (stands && !stat.mine) await remove(client, before.path);
    await this.write(client);
    this.madeOnce();
  }

  private async make(client: ZooKeeperClient): Promise<void> {
    const found = this.createLost ? await this.findOwn(client) : undefined;
    const data = this.data();
    const path = found ?? (await this.create(client, data));
    this.createLost = false;
    const stat = await exists(client, path);
    if (stat === undefined) throw new Failed(rc.noNode, `${path} vanished`);
    this.current = { path, czxid: stat.czxid, data: found === undefined ? data : '' };
    if (this.settings.credentials !== undefined) await check(`protect ${path}`, (done) => client.protect(path, done));
    this.logger.info({ path }, 'registered');
  }

  private async create(client: ZooKeeperClient, data: string): Promise<string> {
    await this.makeParents(client);
    const target = `${this.folder}/${this.settings.prefix}`;
    const { code, path } = await new Promise<{ code: number; path: string }>((resolve) => {
      client.create(target, data, 'ephemeral-sequential', (code, path) => resolve({ code, path }));
    });
    if (isLost(code)) this.createLost = true;
    if (code !== rc.ok) throw new Failed(code, `create ${target}`);
    return path;
  }

  /** The node that a create whose answer was lost may have made: this session makes only one. */
  private async findOwn(client: ZooKeeperClient): Promise<string | undefined> {
    const names = await new Promise<readonly string[]>((resolve, reject) => {
      client.children(this.folder, false, (code, names) => {
        if (code === rc.ok || code === rc.noNode) resolve(names);
        else reject(new Failed(code, `list ${this.folder}`));
      });
    });
    for (const name of names.filter((each) => each.startsWith(this.settings.prefix))) {
      const path = `${this.folder}/${name}`;
      if ((await exists(client, path))?.mine === true) return path;
    }
    return undefined;
  }

  /** The path to the root stays for good; a channel is a container, which the server removes when it is empty. */
  private async makeParents(client: ZooKeeperClient): Promise<void> {
    if ((await exists(client, this.folder)) !== undefined) return;
    const steps = this.settings.root.split('/').slice(1);
    for (let depth = 1; depth <= steps.length; depth++) {
      await makeFolder(client, `/${steps.slice(0, depth).join('/')}`, 'persistent');
    }
    await makeFolder(client, this.folder, 'container');
  }

  private async write(client: ZooKeeperClient): Promise<void> {
    const { current } = this;
    const data = this.data();
    if (current === undefined || current.data === data) return;
    await check(`set ${current.path}`, (done) => client.set(current.path, data, done));
    this.current = { ...current, data };
  }

  private data(): string {
    return encodeChannelInfo(this.endpoint.address, this.values);
  }
}

async function check(what: string, send: (done: (code: number) => void) => void): Promise<void> {
  const code = await new Promise<number>(send);
  if (code !== rc.ok) throw new Failed(code, what);
}

/** Undefined when there is none; watches it either way. */
async function exists(client: ZooKeeperClient, path: string): Promise<Stat | undefined> {
  return await new Promise((resolve, reject) => {
    client.exists(path, true, (code, stat) => {
      if (code === rc.ok || code === rc.noNode) resolve(stat);
      else reject(new Failed(code, `look for ${path}`));
    });
  });
}

async function remove(client: ZooKeeperClient, path: string): Promise<void> {
  const code = await new Promise<number>((resolve) => client.remove(path, resolve));
  if (code !== rc.ok && code !== rc.noNode) throw new Failed(code, `delete ${path}`);
}

async function makeFolder(client: ZooKeeperClient, path: string, mode: 'persistent' | 'container'): Promise<void> {
  const code = await new Promise<number>((resolve) => client.create(path, '', mode, resolve));
  // Servers before 3.5 know no containers.
  if (code === rc.unimplemented && mode === 'container') return await makeFolder(client, path, 'persistent');
  if (code !== rc.ok && code !== rc.nodeExists) throw new Failed(code, `create ${path}`);
}
