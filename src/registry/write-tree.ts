// Pure: the tree that commands write to, and where a channel's endpoints stand in it.

import { OperatorError } from '../errors.js';
import { below } from '../tree-pattern.js';
import type { FollowedTree } from './tree-watch-options.js';
import { compileTrees, namesOf, type TreeSettings, treesOf } from './trees.js';

/** Where endpoints are written. */
export interface WritePlace {
  /** The node whose children are the channels. */
  readonly base: string;
  /** The fixed names between a channel and its endpoints; empty, or with a slash first. */
  readonly suffix: string;
}

/** A tree that endpoints can be written to. */
export interface WriteTree extends FollowedTree, WritePlace {}

/** The node whose children are the endpoints of a channel. */
export function channelFolder({ base, suffix }: WritePlace, channel: string): string {
  return `${below(base, channel)}${suffix}`;
}

const shape = 'one with {channel}, then {endpoint} as its last name, and no other variable';

function asWriteTree(tree: FollowedTree): WriteTree | undefined {
  const { base, steps } = tree.pattern;
  const [channel, endpoint, ...more] = steps;
  const fits = channel?.variable === 'channel' && endpoint?.variable === 'endpoint' && endpoint.suffix === '';
  return fits && more.length === 0 ? { ...tree, base, suffix: channel.suffix } : undefined;
}

/** All trees that endpoints can be written to. */
export function writeTrees(settings: TreeSettings): WriteTree[] {
  return compileTrees(treesOf(settings)).flatMap((tree) => asWriteTree(tree) ?? []);
}

/** The tree that is written to unless one is named; undefined: there is none, or several could be meant. */
export function defaultWriteTree(settings: TreeSettings): WriteTree | undefined {
  const trees = writeTrees(settings);
  const own = trees.find(({ base, suffix }) => base === settings.root && suffix === '');
  return own ?? (trees.length === 1 ? trees[0] : undefined);
}

/**
 * The tree that is named; without a name the one below `root`, else the only one that can be written to.
 *
 * @param named one of the patterns in `registry.zookeeper.trees`
 * @throws OperatorError in words, where there is none or several could be meant
 */
export function writeTreeOf(settings: TreeSettings, named?: string): WriteTree {
  const known = treesOf(settings);
  const trees = writeTrees(settings);
  if (named !== undefined) {
    if (!known.some(({ path }) => path === named)) {
      throw new OperatorError(`--tree ${named}: the trees that are followed are ${namesOf(known)}`);
    }
    const tree = trees.find(({ pattern }) => pattern.text === named);
    if (tree !== undefined) return tree;
    throw new OperatorError(`--tree ${named}: no place in it follows from a channel's name; expected ${shape}`);
  }
  const found = defaultWriteTree(settings);
  if (found !== undefined) return found;
  if (trees.length === 0) {
    throw new OperatorError(
      `registry.zookeeper.trees has no tree that can be written to (${shape}): ${namesOf(known)}; add one`,
    );
  }
  const names = trees.map(({ pattern }) => pattern.text).join(', ');
  throw new OperatorError(
    `registry.zookeeper.trees has several trees that can be written to, say which by --tree: ${names}`,
  );
}

/** As `writeTreeOf`, for a registration. @throws OperatorError also where the tree does not read what weir writes */
export function registrationTreeOf(settings: TreeSettings, named?: string): WriteTree {
  const tree = writeTreeOf(settings, named);
  if (tree.formats === 'auto' || tree.formats.includes('weir')) return tree;
  const { text } = tree.pattern;
  throw new OperatorError(
    `${text} is read with the formats ${tree.formats.join(', ')}: what is registered there would not be used; add weir to them`,
  );
}
