// One tree as it was last read, and the endpoints that follow from it: pure bookkeeping.

import type { AllowedFormats } from '../config-schema/format-names.js';
import type { SkipReason } from '../metrics.js';
import type { ChannelName, Endpoint } from '../model.js';
import { below, type TreePattern } from '../tree-pattern.js';
import { chooseNew, isTooLong, shown } from './admission.js';
import { followedNames, isReserved } from './folder-names.js';
import { decode } from './formats/decode.js';
import type { RegistryNote } from './registry.js';
import { ReportNodes } from './report-nodes.js';
import { republish, republishChildren, type TreeChange } from './republish.js';
import { add, type Census, countFaults, noteFaults, noteOnce, noteSkipped } from './tree-census.js';
import {
  addTo,
  addVector,
  type ChannelNode,
  type FolderNode,
  isChannel,
  type ListedNode,
  newChannel,
  newFolder,
  newNode,
  type TreeNode,
} from './tree-node.js';
import { type Found, findNode } from './tree-path.js';
import type { TreeRoom } from './tree-room.js';
import type { Stat } from './zookeeper-client.js';

/** The effects of a new list of a folder. */
export interface FolderChange {
  readonly folders: readonly FolderNode[];
  readonly channels: readonly ChannelNode[];
  /** Channels that are gone. */
  readonly gone: readonly ChannelNode[];
  readonly changes: readonly TreeChange[];
}

/** The bytes that re-arming one watch takes. */
export const watchCost = (path: string): number => Buffer.byteLength(path) + 4;

/** The tree as it was last read. Sole owner of its nodes. */
export class Tree {
  readonly base: ListedNode;
  readonly pattern: TreePattern;
  /** Why the base cannot be read now. */
  #closed: SkipReason | undefined;
  readonly #room: TreeRoom;
  readonly #reports: ReportNodes;
  readonly #formats: AllowedFormats;
  readonly #note: (note: RegistryNote) => void;

  constructor(
    pattern: TreePattern,
    room: TreeRoom,
    note: (note: RegistryNote) => void,
    formats: AllowedFormats = 'auto',
    reports = new ReportNodes(note),
  ) {
    this.#reports = reports;
    this.#formats = formats;
    const { base, channel, channelDepth } = pattern;
    this.pattern = pattern;
    this.#room = room;
    this.#note = note;
    this.base =
      channelDepth === 0 && channel !== undefined
        ? newChannel(base, base, channel, undefined)
        : newFolder(base, base, undefined, channel);
  }

  /** Whether channels have nodes below them. */
  get hasChildren(): boolean {
    return this.pattern.channelDepth < this.pattern.steps.length;
  }

  /** Whether fixed names follow the variable at this depth, so that the parent's list does not say whether the node exists. */
  isFixed(depth: number): boolean {
    return depth > 0 && this.pattern.steps[depth - 1]?.suffix !== '';
  }

  /** The known node at a path; undefined: none of this tree. */
  find(path: string): Found | undefined {
    return findNode(this.base, path);
  }

  /** Sets the children of a folder. */
  setFolder(folder: FolderNode, names: readonly string[]): FolderChange {
    folder.unlisted = undefined;
    const left: Record<string, number> = {};
    const current = followedNames(this.pattern, folder, names, left, this.#note);
    const chosen = chooseNew(current, folder.children, this.#room.forFolder(folder.children.size));
    const gone: ChannelNode[] = [];
    const changes: TreeChange[] = [];
    for (const child of [...folder.children.values()]) {
      if (!current.has(child.name)) this.#remove(child, gone, changes);
    }
    add(left, 'too_many', current.size - folder.children.size - chosen.length);
    const folders: FolderNode[] = [];
    const channels: ChannelNode[] = [];
    for (const name of chosen) {
      const made = this.#make(folder, name, current.get(name));
      if (made === undefined) add(left, 'too_many');
      else if (isChannel(made)) channels.push(made);
      else folders.push(made);
    }
    if ('too_many' in left && !('too_many' in folder.left)) noteSkipped(this.#note, 'too_many', folder.path);
    folder.left = left;
    return { folders, channels, gone, changes };
  }

  /** A folder or a channel is gone. */
  remove(node: ListedNode): Pick<FolderChange, 'gone' | 'changes'> {
    const gone: ChannelNode[] = [];
    const changes: TreeChange[] = [];
    this.#remove(node, gone, changes);
    return { gone, changes };
  }

  /** Sets the children of a channel. */
  setChildren(channel: ChannelNode, names: readonly string[]): { added: TreeNode[]; changes: TreeChange[] } {
    channel.unlisted = undefined;
    const current = new Set(names.filter((name) => !isTooLong(name) && !isReserved(channel.path, name)));
    const changes = [...channel.children.values()].flatMap((child) =>
      current.has(child.name) ? [] : this.removeChild(channel, child),
    );
    const chosen = chooseNew(current, channel.children, this.#room.forChannel(channel.channel, channel.children.size));
    const left: Record<string, number> = {};
    add(left, 'bad_name', names.filter(isTooLong).length);
    add(left, 'too_many', current.size - channel.children.size - chosen.length);
    for (const reason of ['bad_name', 'too_many'] as const) {
      if (reason in left && !(reason in channel.left)) noteSkipped(this.#note, reason, channel.path);
    }
    channel.left = left;
    const suffix = this.pattern.steps[this.pattern.channelDepth]?.suffix ?? '';
    const added: TreeNode[] = [];
    for (const name of chosen) {
      const child = newNode(below(channel.path, name) + suffix, name);
      addTo(channel, child);
      channel.childBytes += watchCost(child.path);
      added.push(child);
    }
    this.#room.endpoints += added.length;
    this.#room.count(channel.channel, added.length);
    return { added, changes };
  }

  /** @param reason why the base cannot be read; undefined: it can */
  setBaseUnreadable(reason: SkipReason | undefined): void {
    if (reason !== undefined && reason !== this.#closed) noteSkipped(this.#note, reason, this.pattern.base);
    this.#closed = reason;
  }

  /** The data of a node cannot be read now: the last ones stay. */
  setUnreadable(node: TreeNode, reason: SkipReason): void {
    node.unreadable = reason;
    noteOnce(this.#note, node, reason, { kind: 'skipped', reason, path: shown(node.path) });
  }

  /** The children of a node cannot be listed now: the last ones stay. */
  setUnlisted(node: ListedNode, reason: SkipReason): void {
    if (isChannel(node)) noteOnce(this.#note, node, reason, { kind: 'skipped', reason, path: shown(node.path) });
    else if (node.unlisted !== reason) noteSkipped(this.#note, reason, node.path);
    node.unlisted = reason;
  }

  /** The data of a node were read. Those of a channel may be defaults for its children, which then change too. */
  setData(channel: ChannelNode, child: TreeNode | undefined, data: Uint8Array, stat: Stat): TreeChange[] {
    const node = child ?? channel;
    node.unreadable = undefined;
    const { czxid, version, mtime } = stat;
    // A server that lost its data counts transactions and versions from the beginning: then only the time differs.
    const reported = node.stat?.czxid !== czxid || node.stat.version !== version || node.stat.mtime !== mtime;
    const news = reported || node.leftOut > 0;
    if (news) {
      if (node.stat?.czxid !== czxid) node.noted = undefined;
      this.#decode(channel, node, data);
    }
    node.stat = stat;
    const which = reported ? 'always' : 'other';
    if (child === undefined) {
      return news ? [...republish(channel, channel, which), ...republishChildren(channel)] : [];
    }
    const changes = republish(channel, child, which);
    return this.#keepsWeights(channel, child) && reported ? [...changes, ...republishChildren(channel)] : changes;
  }

  #decode(channel: ChannelNode, node: TreeNode, data: Uint8Array): void {
    const level = node === channel ? 'channel' : 'endpoint';
    const decoded = decode({ name: node.name, level, data }, this.#formats);
    node.decoded = this.#room.admit(channel.channel, node, decoded, this.#placesOf(channel, node));
    noteFaults(this.#note, node);
    const reason = 'too_many';
    if (node.leftOut > 0) noteOnce(this.#note, node, reason, { kind: 'skipped', reason, path: shown(node.path) });
    this.#reports.name(channel, node);
  }

  /** The endpoints of a node that are counted with the node itself. */
  #placesOf(channel: ChannelNode, node: TreeNode): 0 | 1 {
    return node === channel && this.hasChildren ? 0 : 1;
  }

  /** A node is still listed but has no data, since the fixed names below it are missing. */
  clearData(channel: ChannelNode, node: TreeNode): TreeChange[] {
    this.#room.release(channel.channel, node);
    node.stat = undefined;
    node.decoded = { kind: 'nothing' };
    node.unreadable = undefined;
    return this.#reports.withdraw(node);
  }

  removeChild(channel: ChannelNode, child: TreeNode): TreeChange[] {
    if (channel.children.delete(child.name)) {
      channel.childBytes -= watchCost(child.path);
      this.#room.endpoints -= 1;
      this.#room.count(channel.channel, -1);
    }
    this.#room.release(channel.channel, child);
    const changes = this.#reports.withdraw(child);
    return channel.vectors.delete(child) ? [...changes, ...republishChildren(channel)] : changes;
  }

  /** All folders and channels, from the base on. */
  *nodes(from: ListedNode = this.base): Generator<ListedNode> {
    yield from;
    if (!isChannel(from)) for (const child of from.children.values()) yield* this.nodes(child);
  }

  *channels(): Generator<ChannelNode> {
    for (const node of this.nodes()) if (isChannel(node)) yield node;
  }

  /** All endpoints that were published. */
  *endpoints(): Generator<Endpoint> {
    for (const channel of this.channels()) {
      yield* channel.published;
      for (const child of channel.children.values()) yield* child.published;
    }
  }

  /** Adds its faults to the counts, and yields after some nodes how many they were. */
  *census(to: Census): Generator<number> {
    if (this.#closed !== undefined) add(to.skipped, this.#closed);
    for (const node of this.nodes()) yield countFaults(node, to);
  }

  /** A new child of a folder; undefined: its channel has no room for one more. */
  #make(parent: FolderNode, name: string, channel: ChannelName | undefined): ListedNode | undefined {
    const path = below(parent.path, name) + (this.pattern.steps[parent.depth]?.suffix ?? '');
    let made: ListedNode;
    if (channel === undefined || parent.depth + 1 < this.pattern.channelDepth) {
      made = newFolder(path, name, parent, channel);
    } else {
      if (!this.hasChildren && !this.#room.takesOne(channel)) return undefined;
      made = newChannel(path, name, channel, parent);
      if (!this.hasChildren) this.#room.count(channel, 1);
    }
    parent.children.set(name, made);
    this.#room.folders += 1;
    return made;
  }

  #remove(node: ListedNode, gone: ChannelNode[], changes: TreeChange[]): void {
    if (node.parent?.children.get(node.name) !== node) return;
    node.parent.children.delete(node.name);
    this.#room.folders -= 1;
    if (!isChannel(node)) {
      for (const child of [...node.children.values()]) this.#remove(child, gone, changes);
      return;
    }
    gone.push(node);
    this.#room.endpoints -= node.children.size;
    this.#room.count(node.channel, -node.children.size - (this.hasChildren ? 0 : 1));
    for (const each of [node, ...node.children.values()]) {
      this.#room.release(node.channel, each);
      changes.push(...this.#reports.withdraw(each));
    }
  }

  /** Whether a child holds weights of its siblings, or did until now. */
  #keepsWeights(channel: ChannelNode, child: TreeNode): boolean {
    const did = channel.vectors.delete(child);
    const does = child.decoded.kind === 'weights';
    if (does) addVector(channel, child);
    return did || does;
  }
}
