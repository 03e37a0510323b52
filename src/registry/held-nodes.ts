// The nodes that one session follows, and the bytes that re-arming their watches takes.

import { type Tree, watchCost } from './tree.js';
import { isChannel, type ListedNode } from './tree-node.js';

interface Held {
  readonly tree: Tree;
  /** Of its watches, with those of its children. */
  bytes: number;
  listed: boolean;
}

/** The nodes of one session, with the bytes of their watches. */
export class HeldNodes {
  /** Σ(path bytes + 4) of all watches. */
  bytes = 0;
  /** Bytes of watches that are not needed any more, which the client cannot remove. */
  #leftover = 0;
  readonly #held = new Map<ListedNode, Held>();
  readonly #chrootBytes: number;

  /** @param chrootBytes length of the chroot: watches are re-armed with it */
  constructor(chrootBytes: number) {
    this.#chrootBytes = chrootBytes;
  }

  get size(): number {
    return this.#held.size;
  }

  has(node: ListedNode): boolean {
    return this.#held.has(node);
  }

  nodes(): Iterable<ListedNode> {
    return this.#held.keys();
  }

  /** The nodes of a tree, as a copy: they may change meanwhile. */
  of(tree: Tree): ListedNode[] {
    return [...this.#held].flatMap(([node, held]) => (held.tree === tree ? node : []));
  }

  add(node: ListedNode, tree: Tree): void {
    this.#held.set(node, { tree, bytes: 0, listed: false });
    this.weigh(node);
  }

  /** @param watched its own watches are still set; those of its children are not set yet */
  remove(node: ListedNode, watched: boolean): void {
    const held = this.#held.get(node);
    if (held === undefined) return;
    this.#held.delete(node);
    const stays = watched ? held.bytes - this.#ofChildren(node) : 0;
    this.#leftover += stays;
    this.bytes -= held.bytes - stays;
  }

  /** A new session has no old watches. */
  forgetLeftover(): void {
    this.bytes -= this.#leftover;
    this.#leftover = 0;
  }

  /** The children of a node are known. Returns whether this is the first time. */
  listed(node: ListedNode): boolean {
    const held = this.#held.get(node);
    if (held === undefined) return false;
    const first = !held.listed;
    held.listed = true;
    return first;
  }

  /** Counts the watches of a node again. */
  weigh(node: ListedNode): void {
    const held = this.#held.get(node);
    if (held === undefined) return;
    const own = watchCost(node.path) + this.#chrootBytes;
    let bytes = own;
    if (isChannel(node)) {
      const { pattern, hasChildren } = held.tree;
      const lists = hasChildren && node.stat?.ephemeral !== true;
      bytes = own * ((pattern.readsChannel ? 1 : 0) + (lists ? 1 : 0));
      bytes += this.#ofChildren(node);
    }
    this.bytes += bytes - held.bytes;
    held.bytes = bytes;
  }

  #ofChildren(node: ListedNode): number {
    return isChannel(node) ? node.childBytes + this.#chrootBytes * node.children.size : 0;
  }
}
