// A ZooKeeper in memory with sessions whose answers and life a test decides, as the fleet sees them.

import { FleetError, type FleetNode, type FleetSession, type WatchKind } from '../../src/fleet/session.js';
import { StateNews } from '../../src/registry/coordination/state-news.js';

interface Node {
  data: string;
  version: number;
  readonly czxid: number;
  readonly owner: FakeFleetSession | undefined;
}

/** The nodes, and who watches them. */
export class FakeFleet {
  readonly nodes = new Map<string, Node>();
  readonly sessions = new Set<FakeFleetSession>();
  /** Reads of lists and nodes, as `list /a` and `read /a`. */
  readonly reads: string[] = [];
  #transactions = 0;
  #sequence = 0;

  connect(): FakeFleetSession {
    const session = new FakeFleetSession(this);
    this.sessions.add(session);
    session.news.tell({ kind: 'connected', fresh: true });
    return session;
  }

  below(path: string): string[] {
    return [...this.nodes.keys()]
      .filter((each) => each.slice(0, each.lastIndexOf('/')) === path)
      .map((each) => each.slice(path.length + 1));
  }

  make(path: string, data: string, owner: FakeFleetSession | undefined, sequential: boolean): string {
    const made = sequential ? path + String(this.#sequence++).padStart(10, '0') : path;
    if (this.nodes.has(made)) throw new FleetError('exists', made);
    this.nodes.set(made, { data, version: 0, czxid: ++this.#transactions, owner });
    this.tell(made, true);
    return made;
  }

  drop(path: string): void {
    if (this.nodes.delete(path)) this.tell(path, true);
  }

  tell(path: string, list: boolean): void {
    for (const session of this.sessions) {
      session.hear(path, 'data');
      if (list) session.hear(path.slice(0, path.lastIndexOf('/')), 'children');
    }
  }
}

export class FakeFleetSession implements FleetSession {
  readonly news = new StateNews();
  readonly timeoutMs = 6_000;
  alive = true;
  /** The next create is done, and its answer lost. */
  losesNextAnswer = false;
  #watches: { readonly path: string; readonly what: WatchKind; readonly changed: () => void }[] = [];

  constructor(readonly fleet: FakeFleet) {}

  async get(path: string): Promise<FleetNode | undefined> {
    await this.#turn(path);
    this.fleet.reads.push(`read ${path}`);
    const node = this.fleet.nodes.get(path);
    if (node === undefined) return undefined;
    const { data, version, czxid, owner } = node;
    return { data, version, czxid: String(czxid), mine: owner === this };
  }

  async children(path: string): Promise<readonly string[] | undefined> {
    await this.#turn(path);
    this.fleet.reads.push(`list ${path}`);
    return this.fleet.below(path);
  }

  async create(path: string, data: string, mode: string): Promise<string> {
    await this.#turn(path);
    const made = this.fleet.make(path, data, mode === 'persistent' ? undefined : this, mode === 'ephemeral_sequential');
    if (!this.losesNextAnswer) return made;
    this.losesNextAnswer = false;
    throw new FleetError('lost', path);
  }

  async set(path: string, data: string, version: number): Promise<number> {
    await this.#turn(path);
    const node = this.fleet.nodes.get(path);
    if (node === undefined) throw new FleetError('missing', path);
    if (node.version !== version) throw new FleetError('conflict', path);
    node.data = data;
    node.version += 1;
    this.fleet.tell(path, false);
    return node.version;
  }

  async remove(path: string): Promise<void> {
    await this.#turn(path);
    this.fleet.drop(path);
  }

  watch(path: string, what: WatchKind, changed: () => void): () => void {
    const own = { path, what, changed };
    this.#watches.push(own);
    queueMicrotask(changed);
    return () => {
      this.#watches = this.#watches.filter((each) => each !== own);
    };
  }

  subscribe: FleetSession['subscribe'] = (listener) => this.news.subscribe(listener);

  isAlive(): boolean {
    return this.alive;
  }

  hear(path: string, what: WatchKind): void {
    for (const each of this.#watches) if (each.path === path && each.what === what) queueMicrotask(each.changed);
  }

  get watched(): readonly string[] {
    return this.#watches.map(({ path, what }) => `${what} ${path}`);
  }

  /** The session ends, and this client hears of it; `again`: another one begins. */
  lose(again = true): void {
    this.alive = false;
    for (const [path, { owner }] of [...this.fleet.nodes]) if (owner === this) this.fleet.drop(path);
    this.news.tell({ kind: 'lost' });
    if (!again) return;
    this.alive = true;
    this.news.tell({ kind: 'connected', fresh: true });
  }

  async #turn(path: string): Promise<void> {
    await Promise.resolve();
    if (!this.alive) throw new FleetError('lost', path);
  }
}
