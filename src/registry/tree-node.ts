// The nodes of the registry's trees, with the data that were last read.

import type { ChannelName, Endpoint } from '../model.js';
import type { Decoded } from './formats/format.js';
import type { Stat } from './zookeeper-client.js';

/** A node that may register endpoints. Its data are unknown until they are read for the first time. */
export interface TreeNode {
  readonly path: string;
  /** The value of its variable: the last name of the path, unless fixed names follow. */
  readonly name: string;
  stat: Stat | undefined;
  decoded: Decoded;
  /** The report nodes that its endpoints name. */
  reports: readonly ReportNode[];
  /** The endpoints it registers, as last published. */
  published: readonly Endpoint[];
  /** Why its data cannot be read now. */
  unreadable: string | undefined;
  /** Faults that were noted: each once, however often it is reported. */
  noted: Set<string> | undefined;
  /** Its data have not been answered yet, so perhaps no watch is set. */
  unread: boolean;
  /** Endpoints in its data that are counted beside the node itself. */
  extra: number;
  /** Endpoints in its data that there is no room for. */
  leftOut: number;
}

/** A node with values for all endpoints that name it. */
export interface ReportNode extends Pick<TreeNode, 'path' | 'stat' | 'unreadable' | 'noted'> {
  decoded: Extract<Decoded, { kind: 'defaults' | 'nothing' | 'skipped' }>;
  /** Grows with every report, even when the node is created again. 0: not read yet. */
  version: number;
  /** The nodes that name it, each with its channel. */
  readonly users: Map<TreeNode, ChannelNode>;
}

/** A node whose children are listed. */
interface Listed {
  /** Why its children cannot be listed now. */
  unlisted: string | undefined;
  /** Numbers of children that are not followed, by reason. */
  left: Readonly<Record<string, number>>;
}

/** The node of a channel: it may be an endpoint itself and have endpoints below it. */
export interface ChannelNode extends TreeNode, Listed {
  readonly channel: ChannelName;
  /** Undefined: it is the base of its tree. */
  readonly parent: FolderNode | undefined;
  /** `addTo` adds. */
  children: ReadonlyMap<string, TreeNode> & { delete(name: string): boolean };
  /** The children that hold weights of the others; `addVector` adds. */
  vectors: ReadonlySet<TreeNode> & { delete(child: TreeNode): boolean };
  /** Σ(path bytes + 4) of its children. */
  childBytes: number;
}

/** A node above the channels. */
export interface FolderNode extends Listed {
  readonly path: string;
  readonly name: string;
  /** The number of steps from the base. */
  readonly depth: number;
  /** The channel of all nodes below it, where that is fixed. */
  readonly channel: ChannelName | undefined;
  readonly parent: FolderNode | undefined;
  readonly children: Map<string, ListedNode>;
  /** Children whose names cannot be a channel's and that were noted. */
  misnamed: ReadonlySet<string>;
}

/** A node whose children are followed. */
export type ListedNode = FolderNode | ChannelNode;

/** Whether a listed node is a channel. */
export function isChannel(node: ListedNode): node is ChannelNode {
  return 'vectors' in node;
}

const nothing = { kind: 'nothing' } as const;
const noReports: readonly ReportNode[] = [];

const noEndpoints: readonly Endpoint[] = [];
const noLeft: Readonly<Record<string, number>> = {};
/** Of the many channels without: a map and a set for each would be most of their memory. Nothing is ever added to these. */
const noChildren = new Map<string, TreeNode>();
const noVectors = new Set<TreeNode>();

/** Adds a child to a channel. */
export function addTo(channel: ChannelNode, child: TreeNode): void {
  if (channel.children === noChildren) channel.children = new Map([[child.name, child]]);
  else (channel.children as Map<string, TreeNode>).set(child.name, child);
}

/** Notes that a child holds weights of its siblings. */
export function addVector(channel: ChannelNode, child: TreeNode): void {
  if (channel.vectors === noVectors) channel.vectors = new Set([child]);
  else (channel.vectors as Set<TreeNode>).add(child);
}

/** A node that was not read yet. */
export function newNode(path: string, name: string): TreeNode {
  return {
    path,
    name,
    stat: undefined,
    decoded: nothing,
    reports: noReports,
    published: noEndpoints,
    unreadable: undefined,
    noted: undefined,
    unread: true,
    extra: 0,
    leftOut: 0,
  };
}

/** A report node that was not read yet. */
export function newReportNode(path: string): ReportNode {
  return {
    path,
    stat: undefined,
    decoded: nothing,
    unreadable: undefined,
    noted: undefined,
    version: 0,
    users: new Map(),
  };
}

/** A channel that was not read yet. */
export function newChannel(
  path: string,
  name: string,
  channel: ChannelName,
  parent: FolderNode | undefined,
): ChannelNode {
  return {
    path,
    name,
    stat: undefined,
    decoded: nothing,
    reports: noReports,
    published: noEndpoints,
    unreadable: undefined,
    noted: undefined,
    unread: true,
    extra: 0,
    leftOut: 0,
    channel,
    parent,
    children: noChildren,
    vectors: noVectors,
    childBytes: 0,
    unlisted: undefined,
    left: noLeft,
  };
}

/** A folder that was not read yet. */
export function newFolder(
  path: string,
  name: string,
  parent: FolderNode | undefined,
  channel: ChannelName | undefined,
): FolderNode {
  const depth = parent === undefined ? 0 : parent.depth + 1;
  const empty = { children: new Map<string, ListedNode>(), misnamed: new Set<string>() };
  return { path, name, depth, channel, parent, ...empty, unlisted: undefined, left: {} };
}
