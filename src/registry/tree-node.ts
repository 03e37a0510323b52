// The nodes of the registry's trees, with what was last read of each.

import type { ChannelName, Endpoint } from '../model.js';
import type { Decoded } from './formats/format.js';
import type { Stat } from './zookeeper-client.js';

/** A node that may register endpoints. Its data are unknown until they were read once. */
export interface TreeNode {
  readonly path: string;
  /** What its variable stands for: the last name of the path, unless fixed names follow. */
  readonly name: string;
  stat: Stat | undefined;
  decoded: Decoded;
  /** Those that its endpoints name. */
  reports: readonly ReportNode[];
  /** The endpoints it registers, as last told. */
  published: readonly Endpoint[];
  /** Why its data cannot be read now. */
  unreadable: string | undefined;
  /** What was noted of it: each fault once, however often it is reported. */
  noted: Set<string> | undefined;
  /** Its data were asked for and not answered yet: no watch may be set. */
  unread: boolean;
}

/** A node with the values of all endpoints that name it. */
export interface ReportNode extends Pick<TreeNode, 'path' | 'stat' | 'unreadable' | 'noted'> {
  decoded: Extract<Decoded, { kind: 'defaults' | 'nothing' | 'skipped' }>;
  /** Grows with every report, also when the node is made again. 0: it was not read yet. */
  version: number;
  /** Nodes with endpoints that name it, each with its channel. */
  readonly users: Map<TreeNode, ChannelNode>;
}

/** What is listed. */
interface Listed {
  /** Why its children cannot be listed now. */
  unlisted: string | undefined;
  /** Children that have no place here, by why. */
  left: Readonly<Record<string, number>>;
}

/** A node that stands for a channel: it may be an endpoint itself and hold endpoints. */
export interface ChannelNode extends TreeNode, Listed {
  readonly channel: ChannelName;
  /** Undefined: it is the base of its tree. */
  readonly parent: FolderNode | undefined;
  readonly children: Map<string, TreeNode>;
  /** Those of its children that hold weights of the others. */
  readonly vectors: Set<TreeNode>;
  /** Σ(path bytes + 4) of its children. */
  childBytes: number;
}

/** A node above the channels. */
export interface FolderNode extends Listed {
  readonly path: string;
  readonly name: string;
  /** Steps from the base. */
  readonly depth: number;
  /** Of all that is below it, if that is known already. */
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

/** A node of which nothing was read yet. */
export function newNode(path: string, name: string): TreeNode {
  const none = { stat: undefined, reports: noReports, published: [], unreadable: undefined, noted: undefined };
  return { path, name, decoded: nothing, ...none, unread: true };
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

/** A channel of which nothing was read yet. */
export function newChannel(
  path: string,
  name: string,
  channel: ChannelName,
  parent: FolderNode | undefined,
): ChannelNode {
  const empty = { children: new Map<string, TreeNode>(), vectors: new Set<TreeNode>(), childBytes: 0 };
  return { ...newNode(path, name), channel, parent, ...empty, unlisted: undefined, left: {} };
}

/** A folder of which nothing was read yet. */
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
