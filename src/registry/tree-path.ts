// Pure: finds the known node at a path.

import { type ChannelNode, type FolderNode, isChannel, type ListedNode, type TreeNode } from './tree-node.js';

/** What is at a path: a node above the channels, a channel's node, or a child of it. */
export type Found =
  | { readonly folder: FolderNode }
  | { readonly folder?: undefined; readonly channel: ChannelNode; readonly child: TreeNode | undefined };

/** The node at a path; undefined: none is known there. */
export function findNode(base: ListedNode, path: string): Found | undefined {
  let node: ListedNode | TreeNode = base;
  let channel: ChannelNode | undefined;
  for (;;) {
    if (!path.startsWith(node.path)) return undefined;
    if ('children' in node && isChannel(node)) channel = node;
    if (path.length === node.path.length) {
      if (channel !== undefined) return { channel, child: node === channel ? undefined : (node as TreeNode) };
      return { folder: node as FolderNode };
    }
    const from: number = node.path === '/' ? 1 : node.path.length + 1;
    if (!('children' in node) || path[from - 1] !== '/') return undefined;
    const end = path.indexOf('/', from);
    const child: ListedNode | TreeNode | undefined = node.children.get(path.slice(from, end < 0 ? undefined : end));
    if (child === undefined) return undefined;
    node = child;
  }
}
