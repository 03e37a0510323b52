// Pure: reads the trees from the settings.

import type { AllowedFormats } from '../config-schema/format-names.js';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { compilePattern } from '../tree-pattern.js';
import type { FollowedTree } from './tree-watch-options.js';

/** A tree of the settings, with all defaults filled in. */
export interface TreeSetting {
  /** A pattern, such as `/channels/{channel}/{endpoint}`. */
  readonly path: string;
  /** The channel of every endpoint, where the pattern has no `{channel}`. */
  readonly channel?: string | undefined;
  readonly formats: AllowedFormats;
}

/** What the settings say of trees. */
export type TreeSettings = Pick<Config['registry']['zookeeper'], 'root' | 'trees'>;

/** The trees to follow: those of `trees`, else the one below `root`, which weir writes to. */
export function treesOf({ root, trees }: TreeSettings): TreeSetting[] {
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

/** The paths of the trees, for one line of text. */
export function namesOf(trees: readonly TreeSetting[]): string {
  return trees.map(({ path, channel }) => (channel === undefined ? path : `${path} (${channel})`)).join(', ');
}
