// `weir channels --explain PATH`: how a node of ZooKeeper is read, or why it is not used.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { type Around, explain, isVector, type NodeExplanation } from '../registry/explanation.js';
import { type NodeState, readNode } from '../registry/node-writes.js';
import { type Place, type Placed, placeOf } from '../registry/place.js';
import type { FollowedTree } from '../registry/tree-watch-options.js';
import { compileTrees, namesOf, treesOf } from '../registry/trees.js';
import { children } from '../registry/zookeeper-calls.js';
import type { ZooKeeperClient } from '../registry/zookeeper-client.js';
import { below } from '../tree-pattern.js';
import { safe } from './endpoint-lines.js';
import { belowLine, explanationJson, explanationLines, isUsed } from './explanation-lines.js';
import { print, printJson } from './lifetime.js';
import { onZooKeeper } from './zookeeper-nodes.js';

/** Nodes below a channel that are explained with it. */
const maxBelow = 100;
/** Siblings whose weights count. */
const maxSiblings = 8;

/** The node exists, and no endpoint of it is used. */
class NotUsed extends OperatorError {
  override readonly exitCode = 3;
}

interface Found {
  readonly tree: FollowedTree;
  readonly placed: Exclude<Placed, { kind: 'outside' }>;
}

/** The first tree that reads the node, else one that has it above its channels. */
function findTree(path: string, trees: readonly FollowedTree[]): Found | undefined {
  const found = trees.flatMap((tree): Found[] => {
    const placed = placeOf(path, tree.pattern);
    return placed.kind === 'outside' ? [] : [{ tree, placed }];
  });
  return found.find(({ placed }) => placed.kind === 'node') ?? found[0];
}

/** The nodes as they are now; those that were deleted meanwhile are left out. */
async function readAll(client: ZooKeeperClient, paths: readonly string[]): Promise<NodeState[]> {
  const nodes = await Promise.all(paths.map((path) => readNode(client, path)));
  return nodes.filter((node) => node !== undefined);
}

interface Siblings {
  readonly channel: NodeState | undefined;
  readonly vectors: readonly NodeState[];
  readonly names: readonly string[];
}

async function readSiblings(
  client: ZooKeeperClient,
  { pattern }: FollowedTree,
  channelPath: string,
): Promise<Siblings> {
  const names = [...(await children(client, channelPath))].sort();
  const vectors = names.filter(isVector).slice(0, maxSiblings);
  return {
    channel: pattern.readsChannel ? await readNode(client, channelPath) : undefined,
    vectors: await readAll(
      client,
      vectors.map((name) => below(channelPath, name)),
    ),
    names,
  };
}

/** The explanation with the report nodes that the node names. */
async function explainOne(
  client: ZooKeeperClient,
  tree: FollowedTree,
  place: Place,
  node: NodeState,
  around: Around,
): Promise<NodeExplanation> {
  const alone = explain(place, tree, node, around);
  if (alone.reports.length === 0) return alone;
  const paths = alone.reports.map(({ path }) => path);
  return explain(place, tree, node, { ...around, reports: await readAll(client, paths) });
}

/** The endpoints below a channel's node. */
async function explainBelow(client: ZooKeeperClient, tree: FollowedTree, siblings: Siblings, channelPath: string) {
  const last = tree.pattern.steps.at(-1);
  if (last?.variable !== 'endpoint') return [];
  const paths = siblings.names.slice(0, maxBelow).map((name) => `${below(channelPath, name)}${last.suffix}`);
  const nodes = await readAll(client, paths);
  const around = { ...siblings, siblings: siblings.vectors };
  const placed = nodes.flatMap((node) => {
    const place = placeOf(node.path, tree.pattern);
    return place.kind === 'node' ? { place, node } : [];
  });
  return await Promise.all(placed.map(({ place, node }) => explainOne(client, tree, place, node, around)));
}

async function explainNode(client: ZooKeeperClient, tree: FollowedTree, place: Place, node: NodeState) {
  const siblings = await readSiblings(client, tree, place.channelPath);
  const own = await explainOne(client, tree, place, node, { ...siblings, siblings: siblings.vectors });
  const isFolder = place.level === 'channel' && tree.pattern.steps.at(-1)?.variable === 'endpoint';
  const under = isFolder ? await explainBelow(client, tree, siblings, place.channelPath) : [];
  return { own, under, count: isFolder ? siblings.names.length : 0 };
}

function tell(own: NodeExplanation | undefined, under: readonly NodeExplanation[], count: number, json: boolean): void {
  if (json) {
    const node = own === undefined ? {} : explanationJson(own);
    return printJson({ ...node, below: under.map(explanationJson), below_count: count });
  }
  if (own !== undefined) explanationLines(own).forEach(print);
  if (count === 0) return;
  print(count > under.length ? `${count} below it, of which these were read:` : `${count} below it:`);
  for (const one of under) print(belowLine(one));
}

/**
 * Prints how the node is read, and for a channel how the nodes below it are read.
 *
 * @throws OperatorError with exit code 3 where no endpoint of it is used; 1 where it is not there, or ZooKeeper is out of reach
 */
export async function explainPath(config: Config, path: string, json: boolean): Promise<void> {
  const settings = treesOf(config.registry.zookeeper);
  const found = findTree(path, compileTrees(settings));
  await onZooKeeper(config, async (client) => {
    const node = await readNode(client, path);
    if (node === undefined) throw new OperatorError(`${safe(path)}: no such node`);
    if (found === undefined)
      throw new NotUsed(`${safe(path)} is in none of the trees that are followed: ${namesOf(settings)}`);
    const { tree, placed } = found;
    if (placed.kind === 'above')
      throw new NotUsed(`${safe(path)} is above the channels of ${tree.pattern.text}: name one of them`);
    if (placed.kind === 'misnamed')
      throw new NotUsed(`${safe(path)}: no channel can have this name (${tree.pattern.text})`);
    if (placed.kind === 'folder') {
      const siblings = await readSiblings(client, tree, placed.channelPath);
      const under = await explainBelow(client, tree, siblings, placed.channelPath);
      if (!json) print(`${safe(path)}  a folder of channel ${safe(placed.channel)}, whose data are not read`);
      tell(undefined, under, siblings.names.length, json);
      if (!under.some(isUsed)) throw new NotUsed(`${safe(path)}: nothing below it is used`);
      return;
    }
    const { own, under, count } = await explainNode(client, tree, placed, node);
    tell(own, under, count, json);
    if (![own, ...under].some(isUsed)) throw new NotUsed(`${safe(path)}: no endpoint of it is used`);
  });
}
