// `weir channels --explain PATH`: how a node of ZooKeeper is read, or why it is not used.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { type Around, explain, type NodeExplanation } from '../registry/explanation.js';
import { type Bound, exceededBounds, followedNames, type LeftOut, leftOut, listedNames } from '../registry/left-out.js';
import { type Place, type Placed, placeOf } from '../registry/place.js';
import { countNodes } from '../registry/tree-count.js';
import { type SeenNode, type Siblings, seeAll, seeNames, seeNode, seeSiblings } from '../registry/tree-reads.js';
import type { TreeLimits } from '../registry/tree-room.js';
import type { FollowedTree } from '../registry/tree-watch-options.js';
import { compileTrees, namesOf, treesOf } from '../registry/trees.js';
import type { ZooKeeperClient } from '../registry/zookeeper-client.js';
import { below } from '../tree-pattern.js';
import { safe } from './endpoint-lines.js';
import { belowLine, boundWords, explanationJson, explanationLines, isUsed } from './explanation-lines.js';
import { print, printJson } from './lifetime.js';
import { onZooKeeper } from './zookeeper-nodes.js';

/** Nodes below a channel that are explained with it. */
const maxBelow = 100;
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

/** A tree, and how much an edge follows. */
interface Followed extends FollowedTree {
  readonly limits: TreeLimits;
}

/** The explanation with the report nodes that the node names. */
async function explainOne(
  client: ZooKeeperClient,
  tree: FollowedTree,
  place: Place,
  node: SeenNode,
  around: Around,
): Promise<NodeExplanation> {
  const alone = explain(place, tree, node, around);
  if (alone.reports.length === 0) return alone;
  const paths = alone.reports.map(({ path }) => path);
  return explain(place, tree, node, { ...around, reports: await seeAll(client, paths) });
}

/** What the lists above a node say of it. */
async function lookAbove(client: ZooKeeperClient, { pattern, limits }: Followed, path: string) {
  const folders = listedNames(path, pattern).map(({ folder }) => folder);
  const lists = await Promise.all(folders.map(async (folder) => [folder, await seeNames(client, folder)] as const));
  return leftOut(path, pattern, new Map(lists), limits);
}

interface Below {
  readonly under: readonly NodeExplanation[];
  readonly count: number;
  /** The bound that leaves out some of them. */
  readonly bound: Bound | undefined;
  /** Why they cannot be listed. */
  readonly unlisted: string | undefined;
}

const nothingBelow: Below = { under: [], count: 0, bound: undefined, unlisted: undefined };

/** The endpoints below a channel's node. @param above why an edge does not get there */
async function explainBelow(
  client: ZooKeeperClient,
  tree: Followed,
  siblings: Siblings,
  channelPath: string,
  above: LeftOut | undefined,
): Promise<Below> {
  const last = tree.pattern.steps.at(-1);
  const { names } = siblings;
  if (last?.variable !== 'endpoint') return nothingBelow;
  if (typeof names === 'string') return { ...nothingBelow, unlisted: names };
  const { followed, bound } = followedNames(names, { folder: channelPath, variable: 'endpoint' }, tree.limits);
  const paths = names.slice(0, maxBelow).map((name) => `${below(channelPath, name)}${last.suffix}`);
  const nodes = await seeAll(client, paths);
  const around = { ...siblings, siblings: siblings.vectors };
  const placed = nodes.flatMap((node) => {
    const place = placeOf(node.path, tree.pattern);
    return place.kind === 'node' ? { place, node } : [];
  });
  const under = await Promise.all(
    placed.map(({ place, node }) => {
      const isOver = bound !== undefined && !followed.has(place.name);
      const left = above ?? (isOver ? { reason: 'too_many' as const, at: channelPath, bound } : undefined);
      return explainOne(client, tree, place, node, { ...around, leftOut: left });
    }),
  );
  return { under, count: names.length, bound, unlisted: undefined };
}

async function explainNode(client: ZooKeeperClient, tree: Followed, place: Place, node: SeenNode) {
  const above = await lookAbove(client, tree, node.path);
  const siblings = await seeSiblings(client, tree, place.channelPath);
  const around = { ...siblings, siblings: siblings.vectors, leftOut: above };
  const own = await explainOne(client, tree, place, node, around);
  const isFolder = place.level === 'channel' && tree.pattern.steps.at(-1)?.variable === 'endpoint';
  const found = isFolder ? await explainBelow(client, tree, siblings, place.channelPath, above) : nothingBelow;
  return { own, found };
}

function tell(own: NodeExplanation | undefined, found: Below, bounds: readonly Bound[], json: boolean): void {
  const { under, count, unlisted } = found;
  // What the list of this channel says is told once.
  const exceeded = [...(found.bound === undefined ? [] : [found.bound]), ...bounds].filter(
    ({ setting }, at, all) => all.findIndex((each) => each.setting === setting) === at,
  );
  if (json) {
    const node = own === undefined ? {} : explanationJson(own);
    const more = {
      below: under.map(explanationJson),
      below_count: count,
      unlisted: unlisted ?? null,
      bounds: exceeded,
    };
    return printJson({ ...node, ...more });
  }
  if (own !== undefined) explanationLines(own).forEach(print);
  for (const bound of exceeded) print(`  ${boundWords(bound)}`);
  if (unlisted !== undefined) print(`what is below it cannot be listed (${unlisted})`);
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
  const { registry } = config;
  const settings = treesOf(registry.zookeeper);
  const trees = compileTrees(settings);
  const limits = { endpoints: registry.zookeeper.maxEndpoints, endpointsPerChannel: registry.maxEndpointsPerChannel };
  const place = findTree(path, trees);
  await onZooKeeper(config, async (client) => {
    const node = await seeNode(client, path);
    if (node === undefined) throw new OperatorError(`${safe(path)}: no such node`);
    if (place === undefined)
      throw new NotUsed(`${safe(path)} is in none of the trees that are followed: ${namesOf(settings)}`);
    const { placed } = place;
    const tree = { ...place.tree, limits };
    if (placed.kind === 'above')
      throw new NotUsed(`${safe(path)} is above the channels of ${tree.pattern.text}: name one of them`);
    if (placed.kind === 'misnamed')
      throw new NotUsed(`${safe(path)}: no channel can have this name (${tree.pattern.text})`);
    const counted = await countNodes(client, trees, placed.channel);
    const bounds = counted === undefined ? [] : exceededBounds(counted, limits);
    if (placed.kind === 'folder') {
      const [above, siblings] = [
        await lookAbove(client, tree, path),
        await seeSiblings(client, tree, placed.channelPath),
      ];
      const found = await explainBelow(client, tree, siblings, placed.channelPath, above);
      if (!json) print(`${safe(path)}  a folder of channel ${safe(placed.channel)}, whose data are not read`);
      tell(undefined, found, bounds, json);
      if (!found.under.some(isUsed)) throw new NotUsed(`${safe(path)}: nothing below it is used`);
      return;
    }
    const { own, found } = await explainNode(client, tree, placed, node);
    tell(own, found, bounds, json);
    if (![own, ...found.under].some(isUsed)) throw new NotUsed(`${safe(path)}: no endpoint of it is used`);
  });
}
