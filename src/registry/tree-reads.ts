// Reads single nodes and lists of trees, for a command that explains them: what cannot be read is a finding, no error.

import { below } from '../tree-pattern.js';
import type { Names } from './left-out.js';
import { type NodeState, readNode } from './node-writes.js';
import type { FollowedTree } from './tree-watch-options.js';
import { children, exists, Failed } from './zookeeper-calls.js';
import { unreadableReason, type ZooKeeperClient } from './zookeeper-client.js';

/** A node as it was read. */
export interface SeenNode extends NodeState {
  /** Why its data, which are empty then, cannot be read. */
  readonly unreadable?: 'no_auth' | 'unreadable';
}

/** Siblings whose weights count. */
const maxSiblings = 8;

function reasonOf(error: unknown): 'no_auth' | 'unreadable' {
  if (error instanceof Failed && !error.isLost) return unreadableReason(error.code);
  throw error;
}

/** The node, after a sync; undefined: it does not exist. @throws Failed where the connection is lost */
export async function seeNode(client: ZooKeeperClient, path: string): Promise<SeenNode | undefined> {
  try {
    return await readNode(client, path);
  } catch (error) {
    const unreadable = reasonOf(error);
    const stat = await exists(client, path);
    return stat && { path, data: new Uint8Array(), stat, unreadable };
  }
}

/** The children of a node. @throws Failed where the connection is lost */
export async function seeNames(client: ZooKeeperClient, path: string): Promise<Names> {
  return await children(client, path).catch(reasonOf);
}

/** The nodes as they are now; those that were deleted meanwhile are left out. */
export async function seeAll(client: ZooKeeperClient, paths: readonly string[]): Promise<SeenNode[]> {
  const nodes = await Promise.all(paths.map((path) => seeNode(client, path)));
  return nodes.filter((node) => node !== undefined);
}

/** Whether a node of this name may hold weights of its siblings. */
const isVector = (name: string) => name.startsWith('vector_');

/** What stands beside a node, and the channel's own. */
export interface Siblings {
  readonly channel: SeenNode | undefined;
  readonly vectors: readonly SeenNode[];
  readonly names: Names;
}

/** The channel at `channelPath`, the names below it, and those of them that may hold weights. */
export async function seeSiblings(
  client: ZooKeeperClient,
  { pattern }: FollowedTree,
  channelPath: string,
): Promise<Siblings> {
  const listed = await seeNames(client, channelPath);
  const names = typeof listed === 'string' ? listed : [...listed].sort();
  const vectors = typeof names === 'string' ? [] : names.filter(isVector).slice(0, maxSiblings);
  return {
    channel: pattern.readsChannel ? await seeNode(client, channelPath) : undefined,
    vectors: await seeAll(
      client,
      vectors.map((name) => below(channelPath, name)),
    ),
    names,
  };
}
