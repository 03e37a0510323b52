// Pure: the role of a ZooKeeper path in a tree, by the tree's pattern.

import type { ChannelName } from '../model.js';
import type { TreePattern } from '../tree-pattern.js';
import { parseChannelName } from './names.js';

/** A node whose data may register something. */
export interface Place {
  readonly kind: 'node';
  readonly level: 'channel' | 'endpoint';
  readonly channel: ChannelName;
  /** The value of its variable. */
  readonly name: string;
  /** The node whose children are the endpoints; in a tree without `{endpoint}` the node itself. */
  readonly channelPath: string;
}

export type Placed =
  | Place
  /** The folder of a channel, whose data are not read. */
  | { readonly kind: 'folder'; readonly channel: ChannelName; readonly channelPath: string }
  /** There may be channels below it. */
  | { readonly kind: 'above' }
  /** The name cannot be a channel. */
  | { readonly kind: 'misnamed' }
  | { readonly kind: 'outside' };

const isVariable = (segment: string) => segment.startsWith('{');
const segmentsOf = (path: string) => (path === '/' ? [] : path.slice(1).split('/'));

/** Whether the names match the pattern, as far as both go. */
function fits(names: readonly string[], pattern: readonly string[]): boolean {
  if (names[0] === 'zookeeper') return false;
  return names.every((name, i) => name !== '' && (isVariable(pattern[i] ?? '') || pattern[i] === name));
}

/** The channel in the names; undefined where there is none, or it is not valid. */
function channelOf(names: readonly string[], pattern: readonly string[], fixed: ChannelName | undefined) {
  if (fixed !== undefined) return fixed;
  return parseChannelName(names[pattern.indexOf('{channel}')] ?? '');
}

/** Whether the data of a node at this path are read by one of the trees. */
export function isRead(path: string, patterns: readonly TreePattern[]): boolean {
  return patterns.some((pattern) => placeOf(path, pattern).kind === 'node');
}

/** The role of a path in a tree. @param path absolute, without a slash at its end */
export function placeOf(path: string, pattern: TreePattern): Placed {
  const names = segmentsOf(path);
  const wanted = segmentsOf(pattern.text);
  if (names.length > wanted.length || !fits(names, wanted)) return { kind: 'outside' };
  const endpointAt = wanted.indexOf('{endpoint}');
  const isWhole = names.length === wanted.length;
  const isFolder = names.length === endpointAt;
  if (!isWhole && !isFolder) return { kind: 'above' };
  const channel = channelOf(names, wanted, pattern.channel);
  if (channel === undefined) return { kind: 'misnamed' };
  const channelPath = endpointAt < 0 ? path : `/${names.slice(0, endpointAt).join('/')}`;
  if (isFolder && !pattern.readsChannel) return { kind: 'folder', channel, channelPath };
  const level = isFolder || endpointAt < 0 ? 'channel' : 'endpoint';
  const name = level === 'endpoint' ? (names[endpointAt] ?? '') : channel;
  return { kind: 'node', level, channel, name, channelPath };
}
