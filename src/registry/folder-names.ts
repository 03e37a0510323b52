// The names among the children of a folder that are followed.

import type { ChannelName } from '../model.js';
import { below, type TreePattern } from '../tree-pattern.js';
import { isTooLong } from './admission.js';
import { parseChannelName } from './names.js';
import type { RegistryNote } from './registry.js';
import { add, noteSkipped } from './tree-census.js';
import type { FolderNode } from './tree-node.js';

/** Names that are remembered as noted. */
const maxMisnamed = 1_000;

/** ZooKeeper keeps its own data below `/zookeeper`. */
export function isReserved(path: string, name: string): boolean {
  return path === '/' && name === 'zookeeper';
}

/**
 * The valid names among the children of a folder, each with its channel where it has one. The others are noted, each once as
 * long as it stays.
 *
 * @param left to which the number of the others is added, by reason
 */
export function followedNames(
  pattern: TreePattern,
  folder: FolderNode,
  names: readonly string[],
  left: Record<string, number>,
  note: (note: RegistryNote) => void,
): Map<string, ChannelName | undefined> {
  const isChannelName = pattern.steps[folder.depth]?.variable === 'channel';
  const reason = isChannelName ? 'bad_channel_name' : 'bad_name';
  const current = new Map<string, ChannelName | undefined>();
  const misnamed = new Set<string>();
  for (const name of names) {
    if (isReserved(folder.path, name)) continue;
    const channel = isChannelName ? parseChannelName(name) : folder.channel;
    if (isChannelName ? channel !== undefined : !isTooLong(name)) {
      current.set(name, channel);
      continue;
    }
    add(left, reason);
    if (misnamed.size >= maxMisnamed) continue;
    misnamed.add(name);
    if (!folder.misnamed.has(name)) noteSkipped(note, reason, below(folder.path, name));
  }
  folder.misnamed = misnamed;
  return current;
}
