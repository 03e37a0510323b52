// The difference between the endpoints that a node registers now and those that were published for it. Pure but for
// `published`, which it updates.

import type { Endpoint, EndpointId } from '../model.js';
import { composeEndpoints } from './compose.js';
import { sameValues } from './reported-values.js';
import type { ChannelNode, TreeNode } from './tree-node.js';

export type TreeChange =
  | { readonly kind: 'put'; readonly endpoint: Endpoint }
  | { readonly kind: 'drop'; readonly id: EndpointId };

/**
 * The changes to publish for a node.
 *
 * @param which `always`: the node has a new version, which is a report even with the same values. `newer`: a report node that
 *   it names may have one. `other`: only endpoints that differ are published
 */
export function republish(channel: ChannelNode, node: TreeNode, which: 'always' | 'newer' | 'other'): TreeChange[] {
  const now = composeEndpoints(channel, node);
  const { published } = node;
  node.published = now;
  // The usual case: the node was just read for the first time.
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

/** The changes when a node registers nothing any more. */
export function withdraw(node: TreeNode): TreeChange[] {
  const before = node.published;
  node.published = [];
  return before.map(({ id }) => ({ kind: 'drop', id }));
}
