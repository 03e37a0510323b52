// The nodes of the registry's tree, with what was last read of each.

import type { ChannelName, Endpoint } from '../model.js';
import type { Decoded } from './formats/format.js';
import type { Stat } from './zookeeper-client.js';

/** A node of the tree. Its data are unknown until they were read once. */
export interface TreeNode {
  readonly path: string;
  readonly name: string;
  stat: Stat | undefined;
  decoded: Decoded;
  /** The endpoints it registers, as last told. */
  told: readonly Endpoint[];
  /** Why its data cannot be read now. */
  unreadable: string | undefined;
  /** What was noted of it: each fault once, however often it is reported. */
  noted: Set<string> | undefined;
}

/** A child of the root, which may be an endpoint itself and hold endpoints. */
export interface ChannelNode extends TreeNode {
  readonly channel: ChannelName;
  readonly children: Map<string, TreeNode>;
  /** Those of its children that hold weights of the others. */
  readonly vectors: Set<TreeNode>;
  /** Why its children cannot be listed now. */
  unlisted: string | undefined;
  /** Children that have no place here, by why. */
  left: Readonly<Record<string, number>>;
}

const nothing: Decoded = { kind: 'nothing' };

export function newNode(path: string, name: string): TreeNode {
  const none = { stat: undefined, told: [], unreadable: undefined, noted: undefined };
  return { path, name, decoded: nothing, ...none };
}
