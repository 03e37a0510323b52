// Counts the nodes of all trees, to compare them with the bounds.

import { below } from '../tree-pattern.js';
import type { Counted } from './left-out.js';
import { seeNames } from './tree-reads.js';
import type { FollowedTree } from './tree-watch-options.js';
import type { ZooKeeperClient } from './zookeeper-client.js';

/** Lists under way at once. */
const atOnce = 200;
/** Lists for one count: more take longer than anybody waits. */
const maxLists = 20_000;

/** Counts the nodes of all trees, and those of a channel; undefined: there are too many folders to list them all. */
export async function countNodes(
  client: ZooKeeperClient,
  trees: readonly FollowedTree[],
  channel: string,
): Promise<Counted | undefined> {
  let [endpoints, folders, ofChannel, lists] = [0, 0, 0, 0];
  for (const { pattern } of trees) {
    let level = [{ path: pattern.base, channel: pattern.channel as string | undefined }];
    for (const { variable, suffix } of pattern.steps) {
      const next: typeof level = [];
      lists += level.length;
      if (lists > maxLists) return undefined;
      for (let at = 0; at < level.length; at += atOnce) {
        const folder = level.slice(at, at + atOnce);
        const found = await Promise.all(folder.map(({ path }) => seeNames(client, path)));
        for (const [index, names] of found.entries()) {
          const above = folder[index];
          if (typeof names === 'string' || above === undefined) continue;
          for (const name of names) {
            const path = `${below(above.path, name)}${suffix}`;
            next.push({ path, channel: variable === 'channel' ? name : above.channel });
          }
        }
      }
      if (variable === 'endpoint') endpoints += next.length;
      else folders += next.length;
      level = next;
    }
    ofChannel += level.filter((node) => node.channel === channel).length;
  }
  return { endpoints, folders, ofChannel };
}
