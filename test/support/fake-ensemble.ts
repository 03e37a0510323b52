// A ZooKeeper in memory, as sessions of a fleet see it: nodes, ephemeral ones among them, watches, sessions that are suspended and lost.
// Counts what is asked of it.

import {
  FleetError,
  type FleetNode,
  type FleetSession,
  type FleetState,
  type WatchKind,
} from '../../src/fleet/session.js';

interface Node {
  data: string;
  version: number;
  readonly czxid: number;
  readonly owner: FakeSession | undefined;
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

/** What servers were asked, and what they told. `listed`: names in the lists of children. */
export interface Asked {
  reads: number;
  lists: number;
  listed: number;
  writes: number;
  events: number;
}

export class FakeEnsemble {
  readonly nodes = new Map<string, Node>();
  readonly names = new Map<string, Set<string>>();
  readonly sessions = new Set<FakeSession>();
  readonly asked: Asked = { reads: 0, lists: 0, listed: 0, writes: 0, events: 0 };
  /** By kind and path: only who watches is told. */
  readonly watches = new Map<string, Set<{ readonly session: FakeSession; readonly changed: () => void }>>();
  #zxid = 0;

  session(): FakeSession {
    const session = new FakeSession(this);
    this.sessions.add(session);
    return session;
  }

  get paths(): string[] {
    return [...this.nodes.keys()].sort();
  }

  put(path: string, data: string, owner: FakeSession | undefined): void {
    const parent = parentOf(path);
    if (parent !== '' && !this.nodes.has(parent)) this.put(parent, '', undefined);
    this.#zxid += 1;
    this.nodes.set(path, { data, version: 0, czxid: this.#zxid, owner });
    const siblings = this.names.get(parent) ?? new Set();
    this.names.set(parent, siblings);
    siblings.add(path.slice(parent.length + 1));
    this.tell(path, ['data', 'children']);
    this.tell(parent, ['children']);
  }

  drop(path: string): void {
    if (!this.nodes.delete(path)) return;
    const parent = parentOf(path);
    this.names.get(parent)?.delete(path.slice(parent.length + 1));
    this.tell(path, ['data', 'children']);
    this.tell(parent, ['children']);
  }

  /** The watch is set again, as sessions do it, which takes another read. */
  tell(path: string, kinds: readonly WatchKind[]): void {
    for (const kind of kinds) {
      for (const { session, changed } of [...(this.watches.get(`${kind} ${path}`) ?? [])]) {
        this.asked.events += 1;
        queueMicrotask(() => {
          if (session.state !== 'connected') return;
          this.readFor(kind, path);
          changed();
        });
      }
    }
  }

  /** What a watch of this kind takes when it is set. */
  readFor(kind: WatchKind, path: string): void {
    if (kind === 'children') {
      this.asked.lists += 1;
      this.asked.listed += this.names.get(path)?.size ?? 0;
    } else this.asked.reads += 1;
  }
}

export class FakeSession implements FleetSession {
  readonly timeoutMs = 8_000;
  state: 'connected' | 'suspended' | 'lost' = 'lost';
  /** Answers to the next calls of this kind are lost, after they were done. */
  readonly loseAnswers = new Set<'create' | 'set'>();
  readonly #ensemble: FakeEnsemble;
  readonly #listeners = new Set<(state: FleetState) => void>();
  readonly #watched = new Set<{ readonly key: string; readonly changed: () => void }>();

  constructor(ensemble: FakeEnsemble) {
    this.#ensemble = ensemble;
  }

  connect(fresh = true): void {
    this.state = 'connected';
    for (const listener of [...this.#listeners]) listener({ kind: 'connected', fresh });
    for (const { key, changed } of [...this.#watched]) this.#arm(key, changed);
  }

  suspend(): void {
    this.state = 'suspended';
    for (const listener of [...this.#listeners]) listener({ kind: 'suspended' });
  }

  /** Its ephemeral nodes go, at once or when `expire` is called. */
  lose(expire = true): void {
    this.state = 'lost';
    for (const listener of [...this.#listeners]) listener({ kind: 'lost' });
    if (expire) this.expire();
  }

  expire(): void {
    for (const [path, node] of [...this.#ensemble.nodes]) if (node.owner === this) this.#ensemble.drop(path);
  }

  async get(path: string): Promise<FleetNode | undefined> {
    this.#mustBeConnected('get');
    this.#ensemble.asked.reads += 1;
    const node = this.#ensemble.nodes.get(path);
    if (node === undefined) return undefined;
    return { data: node.data, version: node.version, czxid: String(node.czxid), mine: node.owner === this };
  }

  async children(path: string): Promise<readonly string[] | undefined> {
    this.#mustBeConnected('children');
    this.#ensemble.readFor('children', path);
    return this.#ensemble.nodes.has(path) ? [...(this.#ensemble.names.get(path) ?? [])] : undefined;
  }

  async create(path: string, data: string, mode: 'persistent' | 'ephemeral' | 'ephemeral_sequential'): Promise<string> {
    this.#mustBeConnected('create');
    this.#ensemble.asked.writes += 1;
    if (this.#ensemble.nodes.has(path)) throw new FleetError('exists', path);
    this.#ensemble.put(path, data, mode === 'persistent' ? undefined : this);
    this.#mayBeLost('create');
    return path;
  }

  async set(path: string, data: string, version: number): Promise<number> {
    this.#mustBeConnected('set');
    this.#ensemble.asked.writes += 1;
    const node = this.#ensemble.nodes.get(path);
    if (node === undefined) throw new FleetError('missing', path);
    if (node.version !== version) throw new FleetError('conflict', path);
    node.data = data;
    node.version += 1;
    this.#ensemble.tell(path, ['data']);
    this.#mayBeLost('set');
    return node.version;
  }

  async remove(path: string): Promise<void> {
    this.#mustBeConnected('remove');
    this.#ensemble.asked.writes += 1;
    this.#ensemble.drop(path);
  }

  watch(path: string, what: WatchKind, changed: () => void): () => void {
    const key = `${what} ${path}`;
    const entry = { session: this, changed };
    const watched = { key, changed };
    const all = this.#ensemble.watches.get(key) ?? new Set();
    this.#ensemble.watches.set(key, all);
    all.add(entry);
    this.#watched.add(watched);
    if (this.state === 'connected') this.#arm(key, () => all.has(entry) && changed());
    return () => {
      all.delete(entry);
      this.#watched.delete(watched);
    };
  }

  subscribe(listener: (state: FleetState) => void): () => void {
    this.#listeners.add(listener);
    if (this.state === 'connected') listener({ kind: 'connected', fresh: true });
    return () => this.#listeners.delete(listener);
  }

  isAlive(): boolean {
    return this.state === 'connected';
  }

  #arm(key: string, changed: () => void): void {
    const [kind = '', path = ''] = key.split(' ');
    this.#ensemble.readFor(kind as WatchKind, path);
    queueMicrotask(changed);
  }

  #mayBeLost(call: 'create' | 'set'): void {
    if (this.loseAnswers.delete(call)) throw new FleetError('lost', call);
  }

  #mustBeConnected(what: string): void {
    if (this.state !== 'connected') throw new FleetError('lost', what);
  }
}
