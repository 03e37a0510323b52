// Where the other edges of this site let edges in: read of each node once, when the list first names it. An edge says it from the
// beginning of its run on and does not change it.

import type { FleetClock } from './clock.js';
import { edgePath } from './edge-paths.js';
import { decodeEdge, type EdgeNode, nodeName } from './edge-record.js';
import { peerAddress } from './own-address.js';
import type { FleetSession } from './session.js';

/** After a read that failed, in ms. */
const retryMs = 5_000;
/** Edges of a site at most; beyond it the first ones by name are looked at. */
const maxPeers = 1_000;
/** Reads under way at once. */
const depth = 16;

/** An edge that lets others in. */
export interface SitePeer {
  readonly name: string;
  /** `HOST:PORT`; empty: it lets nobody in. */
  readonly address: string;
}

export interface SitePeersTools {
  readonly session: FleetSession;
  readonly root: string;
  readonly site: string;
  /** Some were read, or are gone. */
  readonly changed: () => void;
  readonly clock: FleetClock;
}

interface Known {
  readonly node: EdgeNode;
  /** Undefined: not read yet. */
  read: { readonly address: string; readonly started: string } | undefined;
}

/** The edges of this site, until `close`. */
export class SitePeers {
  readonly #tools: SitePeersTools;
  readonly #known = new Map<string, Known>();
  #reading = 0;
  #stopWaiting = () => {};
  #isClosed = false;

  constructor(tools: SitePeersTools) {
    this.#tools = tools;
  }

  /** Those that were read and let others in. Of two with one name, the one that was started last. */
  get peers(): readonly SitePeer[] {
    const newest = new Map<string, { readonly address: string; readonly started: string }>();
    for (const { node, read } of this.#known.values()) {
      if (read === undefined || read.address === '') continue;
      const other = newest.get(node.name);
      if (other === undefined || other.started < read.started) newest.set(node.name, read);
    }
    return [...newest].map(([name, { address }]) => ({ name, address }));
  }

  /** These are in the list now. */
  set(listed: readonly EdgeNode[]): void {
    const nodes = new Map(listed.slice(0, maxPeers).map((node) => [nodeName(node), node]));
    let isChanged = false;
    for (const [key, { read }] of this.#known) {
      if (nodes.has(key)) continue;
      this.#known.delete(key);
      isChanged ||= read !== undefined;
    }
    for (const [key, node] of nodes) if (!this.#known.has(key)) this.#known.set(key, { node, read: undefined });
    if (isChanged) this.#tools.changed();
    this.#readOn();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
  }

  #readOn(): void {
    const unread = [...this.#known.values()].filter(({ read }) => read === undefined);
    if (this.#reading > 0 || unread.length === 0 || this.#isClosed) return;
    const some = unread.slice(0, depth);
    this.#reading = some.length;
    this.#stopWaiting();
    void Promise.all(some.map((known) => this.#read(known))).then((outcomes) => {
      this.#reading = 0;
      if (this.#isClosed) return;
      if (outcomes.includes(true)) this.#tools.changed();
      if (outcomes.includes(false)) this.#stopWaiting = this.#tools.clock.after(retryMs, () => this.#readOn());
      else this.#readOn();
    });
  }

  /** Whether it was read. Never rejects. */
  async #read(known: Known): Promise<boolean> {
    const { session, root, site } = this.#tools;
    try {
      const found = await session.get(edgePath(root, 'edges', site, known.node));
      const record = found === undefined ? undefined : decodeEdge(found.data);
      known.read = { address: peerAddress(record?.peers) ?? '', started: record?.started ?? '' };
      return true;
    } catch {
      return false;
    }
  }
}
