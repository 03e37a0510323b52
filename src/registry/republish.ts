// Pure but for what a node was told to register: the difference between that and what it registers now.

import type { Endpoint, EndpointId } from '../model.js';
import { composeEndpoints } from './compose.js';
import { sameValues } from './reported-values.js';
import type { ChannelNode, TreeNode } from './tree-node.js';

export type TreeChange =
  | { readonly kind: 'put'; readonly endpoint: Endpoint }
  | { readonly kind: 'drop'; readonly id: EndpointId };

/**
 * `always`: the node itself has a new version, which is a report even when it says the same as before. `newer`: what it names
 * as its report has. `other`: only what says something else is told.
 */
export function republish(channel: ChannelNode, node: TreeNode, which: 'always' | 'newer' | 'other'): TreeChange[] {
  const now = composeEndpoints(channel, node);
  const { published } = node;
  node.published = now;
  // Nearly all are new, or one that stays.
  if (published.length === 0) return now.map((endpoint) => ({ kind: 'put', endpoint }));
  const before = new Map(published.map((endpoint) => [endpoint.id, endpoint]));
  const puts: TreeChange[] = [];
  for (const endpoint of now) {
    const known = before.get(endpoint.id);
    before.delete(endpoint.id);
    const isNews = which === 'always' || (which === 'newer' && known?.version !== endpoint.version);
    if (known === undefined || isNews || !sameValues(known, endpoint)) puts.push({ kind: 'put', endpoint });
  }
  return [...[...before.keys()].map((id): TreeChange => ({ kind: 'drop', id })), ...puts];
}

/** The same for all children of a channel. */
export function republishChildren(channel: ChannelNode): TreeChange[] {
  return [...channel.children.values()].flatMap((each) => republish(channel, each, 'other'));
}

/** It registers nothing any more. */
export function withdraw(node: TreeNode): TreeChange[] {
  const before = node.published;
  node.published = [];
  return before.map(({ id }) => ({ kind: 'drop', id }));
}
