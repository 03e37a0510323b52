// The share of one session: it reads and watches the folders and channels that were given to it.

import { HeldNodes } from './held-nodes.js';
import { Reads, type TreeReader } from './reads.js';
import type { TreeChange } from './republish.js';
import type { Tree } from './tree.js';
import { type ChannelNode, isChannel, type ListedNode, type TreeNode } from './tree-node.js';
import { rc, type Stat, unreadableReason, type WatchEvent } from './zookeeper-client.js';

/** The owner of the shares. `seenAt`: epoch ms of the event that was the cause; undefined: a full read. */
export interface ShareOwner {
  /** Endpoints or faults changed. */
  publish(share: SessionShare, changes: readonly TreeChange[], seenAt: number | undefined): void;
  /** These nodes are new, and no session follows them yet. */
  made(tree: Tree, nodes: readonly ListedNode[], full: boolean, seenAt: number | undefined): void;
  /** These nodes need not be followed any more. */
  gone(channels: readonly ChannelNode[]): void;
  /** The first read of the node was answered. Returns false when another session must follow it, since it is too large for this one. */
  answered(share: SessionShare, tree: Tree, node: ListedNode, first: boolean): boolean;
  /** The node was listed, but does not exist. */
  vanished(share: SessionShare, tree: Tree, node: ListedNode, seenAt: number | undefined): void;
  baseMissing(tree: Tree): void;
  /** The session has no right to list the base. */
  baseDenied(tree: Tree, code: number): void;
  /** All reads of a full read are answered. */
  complete(share: SessionShare): void;
  /** Answers were lost, perhaps without the connection. */
  lost(share: SessionShare): void;
  isOpen(tree: Tree): boolean;
}

export interface ShareOptions {
  /** Reads under way at once. */
  readonly depth: () => number;
  /** Length of the chroot in bytes: watches are re-armed with it. */
  readonly chrootBytes: number;
  /** True: this session lists all folders, so it cannot be behind their lists. */
  readonly first: boolean;
}

/** The number of steps from the base. */
function depthOf(tree: Tree, node: ListedNode): number {
  return isChannel(node) ? tree.pattern.channelDepth : node.depth;
}

/** The part of a tree that one session follows. */
export class SessionShare {
  /** Trees to read again completely, as soon as their bases were looked at. */
  readonly due = new Set<Tree>();
  reader: TreeReader | undefined;
  readonly reads: Reads;
  readonly #held: HeldNodes;
  readonly #owner: ShareOwner;
  readonly #options: ShareOptions;
  /** Σ(path bytes + 4), with the chroot, of watches that are not of its nodes (report nodes). */
  otherBytes = 0;
  /** Nodes that the present round of the sweep has passed. */
  #swept = 0;

  constructor(owner: ShareOwner, options: ShareOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#held = new HeldNodes(options.chrootBytes);
    this.reads = new Reads(options.depth, { lost: () => owner.lost(this), complete: () => owner.complete(this) });
  }

  /** Nodes that it follows. */
  get size(): number {
    return this.#held.size;
  }

  /** Σ(path bytes + 4) of all its watches: re-arming them takes one packet. */
  get bytes(): number {
    return this.#held.bytes + this.otherBytes;
  }

  holds(node: ListedNode): boolean {
    return this.#held.has(node);
  }

  /** Reads with this client from now on. @param fresh a new session, which has no watches */
  begin(reader: TreeReader | undefined, fresh: boolean): void {
    this.reader = reader;
    this.reads.begin(reader);
    if (!fresh) return;
    this.#held.forgetLeftover();
    for (const node of this.#held.nodes()) {
      if (!isChannel(node)) continue;
      node.unread = true;
      for (const child of node.children.values()) child.unread = true;
    }
  }

  /** Follows a node from now on. The caller reads it. */
  take(tree: Tree, node: ListedNode): void {
    this.#held.add(node, tree);
  }

  /** Does not follow a node any more. @param watched its watches are still set */
  release(node: ListedNode, watched = false): void {
    this.#held.remove(node, watched);
  }

  /** Reads all that it follows of a tree: the lists, and the data that have no watch. */
  readTree(tree: Tree): void {
    for (const node of this.#held.of(tree)) this.read(tree, node, true);
  }

  /** Reads the data of the next `count` nodes with the next lists, in case a watch was lost. All nodes get their turn. */
  sweep(count: number): void {
    let index = 0;
    const last = this.#swept + count;
    for (const node of this.#held.nodes()) {
      if (!isChannel(node)) continue;
      for (const each of [node, ...node.children.values()]) {
        if (index >= this.#swept && index < last) each.unread = true;
        index += 1;
      }
    }
    this.#swept = last < index ? last : 0;
  }

  /** Lists the children of a node, and reads unread data. */
  read(tree: Tree, node: ListedNode, full: boolean, seenAt?: number): void {
    if (isChannel(node) && tree.pattern.readsChannel && node.unread)
      this.#readData(tree, node, undefined, full, seenAt, true);
    else this.#list(tree, node, full, seenAt);
  }

  event(event: WatchEvent, tree: Tree, node: ListedNode, child: TreeNode | undefined, seenAt: number): void {
    if (event === 'deleted') this.#deleted(tree, node, child, seenAt);
    else if (child !== undefined && isChannel(node)) this.#readData(tree, node, child, false, seenAt);
    else if (event === 'changed' && isChannel(node)) this.#readData(tree, node, undefined, false, seenAt);
    else if (event === 'child') this.#list(tree, node, false, seenAt);
    else this.read(tree, node, false, seenAt);
  }

  #deleted(tree: Tree, node: ListedNode, child: TreeNode | undefined, seenAt: number): void {
    if (child !== undefined && isChannel(node)) this.#childMissing(tree, node, child, false, seenAt);
    else this.#missing(tree, node, false, seenAt, true);
  }

  /** A listed node does not exist. */
  #missing(tree: Tree, node: ListedNode, full: boolean, seenAt: number | undefined, certain: boolean): void {
    if (node === tree.base) return this.#owner.baseMissing(tree);
    if (!tree.isFixed(depthOf(tree, node))) {
      if (certain || this.#options.first) return this.#owner.vanished(this, tree, node, seenAt);
      return this.#readAgain(tree, node, full, seenAt);
    }
    this.#changed(
      node,
      () => {
        if (!isChannel(node)) {
          const { gone, changes } = tree.setFolder(node, []);
          this.#owner.gone(gone);
          return changes;
        }
        node.unread = true;
        return [...tree.setChildren(node, []).changes, ...tree.clearData(node, node)];
      },
      seenAt,
    );
    this.#await(node.path, full, () => this.#holdsNow(tree, node) && this.read(tree, node, full, seenAt));
  }

  /** Another session listed the node, perhaps from a server that is ahead of this session's. */
  #readAgain(tree: Tree, node: ListedNode, full: boolean, seenAt: number | undefined): void {
    this.reads.read<[]>(
      full,
      (reader, done) => reader.sync(node.path, done),
      () => {
        if (!this.#holdsNow(tree, node)) return;
        this.reads.read<[Stat | undefined]>(
          full,
          (reader, done) => reader.exists(node.path, false, done),
          (code) => {
            if (!this.#holdsNow(tree, node)) return;
            if (code === rc.noNode) this.#owner.vanished(this, tree, node, seenAt);
            else this.read(tree, node, full, seenAt);
          },
        );
      },
    );
  }

  #childMissing(tree: Tree, channel: ChannelNode, child: TreeNode, full: boolean, seenAt: number | undefined): void {
    if (!tree.isFixed(tree.pattern.steps.length)) {
      return this.#changed(channel, () => tree.removeChild(channel, child), seenAt);
    }
    child.unread = true;
    this.#owner.publish(this, tree.clearData(channel, child), seenAt);
    this.#await(child.path, full, () => {
      if (this.#holdsNow(tree, channel, child)) this.#readData(tree, channel, child, full, seenAt);
    });
  }

  /** Sets a watch for a missing node. Calls `there` if it appeared meanwhile. */
  #await(path: string, full: boolean, there: () => void): void {
    this.reads.read<[Stat | undefined]>(
      full,
      (reader, done) => reader.exists(path, true, done),
      (code) => {
        if (code === rc.ok) there();
      },
    );
  }

  #list(tree: Tree, node: ListedNode, full: boolean, seenAt: number | undefined): void {
    if (isChannel(node) && !tree.hasChildren) return;
    this.reads.read<[readonly string[]]>(
      full,
      (reader, done) => reader.children(node.path, true, done),
      (code, names) => {
        if (!this.#holdsNow(tree, node)) return;
        if (code === rc.ok) return this.#listed(tree, node, names, full, seenAt);
        this.#owner.answered(this, tree, node, false);
        if (code !== rc.noNode) {
          if (node === tree.base) return this.#owner.baseDenied(tree, code);
          tree.setUnlisted(node, unreadableReason(code));
          this.#owner.publish(this, [], seenAt);
        } else if (!isChannel(node) || !tree.pattern.readsChannel) this.#missing(tree, node, full, seenAt, false);
        // Else the watch on its data reports that it is gone.
      },
    );
  }

  #listed(tree: Tree, node: ListedNode, names: readonly string[], full: boolean, seenAt: number | undefined): void {
    const first = this.#held.listed(node);
    if (node === tree.base) tree.setBaseUnreadable(undefined);
    if (!isChannel(node)) {
      const { folders, channels, gone, changes } = tree.setFolder(node, names);
      this.#owner.gone(gone);
      this.#owner.publish(this, changes, seenAt);
      this.#owner.answered(this, tree, node, false);
      return this.#owner.made(tree, [...folders, ...channels], full, seenAt);
    }
    const { added, changes } = tree.setChildren(node, names);
    this.#changed(node, () => changes, seenAt);
    if (!this.#owner.answered(this, tree, node, first)) return;
    // A node that may not be read is read again with the next full read, not with every new sibling.
    const unread = full ? [...node.children.values()].filter((child) => child.unread) : added;
    for (const child of unread) this.#readData(tree, node, child, full, seenAt);
  }

  #readData(
    tree: Tree,
    channel: ChannelNode,
    child: TreeNode | undefined,
    full: boolean,
    seenAt: number | undefined,
    withChildren = false,
  ): void {
    const node = child ?? channel;
    node.unread = true;
    this.reads.read<[Uint8Array, Stat | undefined]>(
      full,
      (reader, done) => reader.get(node.path, true, done),
      (code, data, stat) => {
        if (!this.#holdsNow(tree, channel, child)) return;
        if (child === undefined && (!withChildren || !tree.hasChildren || code === rc.noNode)) {
          this.#owner.answered(this, tree, channel, false);
        }
        if (code === rc.noNode) {
          if (child !== undefined) this.#childMissing(tree, channel, child, full, seenAt);
          else this.#missing(tree, channel, full, seenAt, false);
          return;
        }
        if (code === rc.ok && stat !== undefined) {
          node.unread = false;
          this.#owner.publish(this, tree.setData(channel, child, data, stat), seenAt);
        } else {
          tree.setUnreadable(node, unreadableReason(code));
          this.#owner.publish(this, [], seenAt);
        }
        if (!withChildren) return;
        if (stat?.ephemeral !== true) return this.#list(tree, channel, full, seenAt);
        this.#changed(channel, () => tree.setChildren(channel, []).changes, seenAt);
        this.#owner.answered(this, tree, channel, false);
      },
    );
  }

  #holdsNow(tree: Tree, node: ListedNode, child?: TreeNode): boolean {
    if (!this.#held.has(node) || !this.#owner.isOpen(tree)) return false;
    return child === undefined || (isChannel(node) && node.children.get(child.name) === child);
  }

  #changed(node: ListedNode, change: () => readonly TreeChange[], seenAt: number | undefined): void {
    const changes = change();
    this.#held.weigh(node);
    this.#owner.publish(this, changes, seenAt);
  }
}
