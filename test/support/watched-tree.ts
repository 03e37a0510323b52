// A tree in memory that several sessions read: answers and watches come when the test lets them, in the order of a session.

import type { TreeReader } from '../../src/registry/reads.js';
import { rc, type Stat, type WatchEvent } from '../../src/registry/zookeeper-client.js';

interface Node {
  readonly data: string;
  readonly czxid: number;
  readonly version: number;
}

const statOf = ({ czxid, version }: Node): Stat => ({
  czxid,
  ctime: czxid,
  version,
  mtime: czxid + version,
  ephemeral: false,
  mine: false,
});
const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/';

export class WatchedTree {
  readonly nodes = new Map<string, Node>();
  /** Paths whose data may not be read. */
  readonly denied = new Set<string>();
  /** Names below each node. */
  readonly #below = new Map<string, Set<string>>();
  #zxid = 0;
  readonly #sessions: Session[] = [];

  constructor(nodes: Readonly<Record<string, string>>) {
    this.set('/', '');
    for (const [path, data] of Object.entries(nodes)) this.set(path, data);
  }

  /** Makes a node, or makes it again. */
  set(path: string, data: string): void {
    this.remove(path);
    this.nodes.set(path, { data, czxid: ++this.#zxid, version: 0 });
    this.#below.set(path, new Set());
    this.#below.get(parentOf(path))?.add(path.slice(path.lastIndexOf('/') + 1));
    this.#fire('created', path);
    if (path !== '/') this.#fire('child', parentOf(path));
  }

  /** Sets the data of a node that is there. */
  write(path: string, data: string): void {
    const node = this.nodes.get(path);
    if (node === undefined) throw new Error(`${path} is not there`);
    this.nodes.set(path, { ...node, data, version: node.version + 1 });
    this.#fire('changed', path);
  }

  /** With all below it. */
  remove(path: string): void {
    if (!this.nodes.has(path)) return;
    for (const name of this.#below.get(path) ?? []) this.remove(`${path}/${name}`);
    this.nodes.delete(path);
    this.#below.delete(path);
    this.#below.get(parentOf(path))?.delete(path.slice(path.lastIndexOf('/') + 1));
    this.#fire('deleted', path);
    this.#fire('child', parentOf(path));
  }

  names(path: string): readonly string[] | undefined {
    const names = this.#below.get(path);
    return names && [...names];
  }

  /** @param told gets the events of its watches */
  session(told: (event: WatchEvent, path: string) => void): Session {
    const session = new Session(this, told);
    this.#sessions.push(session);
    return session;
  }

  /** Everybody has all answers and events. */
  settle(): void {
    while (this.#sessions.some((session) => session.turn()));
  }

  #fire(event: WatchEvent, path: string): void {
    for (const session of this.#sessions) session.fire(event, path);
  }
}

type Kind = 'data' | 'children' | 'exists';
const kindsOf: Readonly<Record<WatchEvent, readonly Kind[]>> = {
  created: ['exists'],
  changed: ['data'],
  child: ['children'],
  deleted: ['data', 'children', 'exists'],
};

export class Session implements TreeReader {
  /** Every request, as `get /path`. */
  readonly asked: string[] = [];
  /** What waits to be delivered stays until it is false. */
  held = false;
  readonly #waiting: (() => void)[] = [];
  readonly #watches: Record<Kind, Set<string>> = { data: new Set(), children: new Set(), exists: new Set() };
  readonly #tree: WatchedTree;
  readonly #told: (event: WatchEvent, path: string) => void;

  constructor(tree: WatchedTree, told: (event: WatchEvent, path: string) => void) {
    this.#tree = tree;
    this.#told = told;
  }

  get(path: string, watch: boolean, done: (code: number, data: Uint8Array, stat: Stat | undefined) => void): void {
    this.#ask(`get ${path}`, () => {
      const node = this.#tree.nodes.get(path);
      if (node === undefined) return done(rc.noNode, Buffer.alloc(0), undefined);
      if (this.#tree.denied.has(path)) return done(rc.noAuth, Buffer.alloc(0), undefined);
      if (watch) this.#watches.data.add(path);
      done(rc.ok, Buffer.from(node.data), statOf(node));
    });
  }

  children(path: string, watch: boolean, done: (code: number, names: readonly string[]) => void): void {
    this.#ask(`children ${path}`, () => {
      const names = this.#tree.names(path);
      if (names !== undefined && watch) this.#watches.children.add(path);
      done(names === undefined ? rc.noNode : rc.ok, names ?? []);
    });
  }

  exists(path: string, watch: boolean, done: (code: number, stat: Stat | undefined) => void): void {
    this.#ask(`exists ${path}`, () => {
      const node = this.#tree.nodes.get(path);
      if (watch) this.#watches[node === undefined ? 'exists' : 'data'].add(path);
      done(node === undefined ? rc.noNode : rc.ok, node && statOf(node));
    });
  }

  sync(path: string, done: (code: number) => void): void {
    this.#ask(`sync ${path}`, () => done(rc.ok));
  }

  fire(event: WatchEvent, path: string): void {
    const watched = kindsOf[event].filter((kind) => this.#watches[kind].delete(path)).length > 0;
    if (watched) this.#waiting.push(() => this.#told(event, path));
  }

  /** Nothing more comes from it. */
  end(): void {
    this.#waiting.length = 0;
    for (const paths of Object.values(this.#watches)) paths.clear();
  }

  /** Delivers one thing. Returns whether there was one. */
  turn(): boolean {
    const next = this.held ? undefined : this.#waiting.shift();
    next?.();
    return next !== undefined;
  }

  #ask(what: string, answer: () => void): void {
    this.asked.push(what);
    this.#waiting.push(answer);
  }
}
