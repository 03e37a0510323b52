// Pure: the trees that the settings name.

import type { AllowedFormats } from '../config-schema/format-names.js';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { compilePattern } from '../tree-pattern.js';
import type { FollowedTree } from './tree-watch-options.js';

/** A tree as it is written, with every choice made. */
export interface TreeSetting {
  /** A pattern, such as `/channels/{channel}/{endpoint}`. */
  readonly path: string;
  /** Of every endpoint, where the pattern has no `{channel}`. */
  readonly channel?: string | undefined;
  readonly formats: AllowedFormats;
}

/** What is followed: the trees that are listed, else the one below the root that weir writes to. */
export function treesOf({ root, trees }: Pick<Config['registry']['zookeeper'], 'root' | 'trees'>): TreeSetting[] {
  if (trees.length === 0) return [{ path: `${root}/{channel}/{endpoint}`, formats: 'auto' }];
  return trees.map((tree) => (typeof tree === 'string' ? { path: tree, formats: 'auto' } : tree));
}

/** @throws OperatorError for a pattern that is wrong */
export function compileTrees(settings: readonly TreeSetting[]): FollowedTree[] {
  return settings.map(({ path, channel, formats }) => {
    const pattern = compilePattern(path, channel);
    if (typeof pattern === 'string') throw new OperatorError(`registry.zookeeper.trees: ${path}: ${pattern}`);
    return { pattern, formats };
  });
}

/** In a few words. */
export function namesOf(trees: readonly TreeSetting[]): string {
  return trees.map(({ path, channel }) => (channel === undefined ? path : `${path} (${channel})`)).join(', ');
}
