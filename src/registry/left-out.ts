// Pure: why an edge does not follow a node, from the lists above it and the bounds of the trees.

import { below, type TreePattern } from '../tree-pattern.js';
import { chooseNew, isTooLong } from './admission.js';
import { parseChannelName } from './names.js';
import type { TreeLimits } from './tree-room.js';

/** The children of a node, or why they cannot be listed. */
export type Names = readonly string[] | 'no_auth' | 'unreadable';

/** A name of the path that stands for a variable of the pattern, and the node that lists it. */
interface ListedName {
  /** The node whose children are listed. */
  readonly folder: string;
  readonly name: string;
  readonly variable: TreePattern['steps'][number]['variable'];
}

/** A bound of the trees, and how many nodes there are. */
export interface Bound {
  readonly setting: 'registry.zookeeper.maxEndpoints' | 'registry.maxEndpointsPerChannel';
  readonly allows: number;
  readonly holds: number;
}

export interface LeftOut {
  readonly reason: 'no_auth' | 'unreadable' | 'bad_name' | 'too_many';
  /** The node whose list is the cause. */
  readonly at: string;
  /** For `too_many`. */
  readonly bound?: Bound;
}

/** The names of a path that were found in lists, from the base on. @param path one that fits the pattern */
export function listedNames(path: string, pattern: TreePattern): ListedName[] {
  const listed: ListedName[] = [];
  let folder = pattern.base;
  for (const { variable, suffix } of pattern.steps) {
    const name = path.slice(folder === '/' ? 1 : folder.length + 1).split('/', 1)[0];
    if (name === undefined || name === '') break;
    listed.push({ folder, name, variable });
    folder = `${below(folder, name)}${suffix}`;
  }
  return listed;
}

/** The names of a list that an edge follows which has read nothing before, and the bound that leaves out others. */
export function followedNames(
  names: readonly string[],
  { folder, variable }: Pick<ListedName, 'folder' | 'variable'>,
  limits: TreeLimits,
): { readonly followed: ReadonlySet<string>; readonly bound: Bound | undefined } {
  const isValid = (name: string) =>
    !(folder === '/' && name === 'zookeeper') &&
    (variable === 'channel' ? parseChannelName(name) !== undefined : !isTooLong(name));
  const valid = new Set(names.filter(isValid));
  const ofChannel = variable === 'endpoint' && limits.endpointsPerChannel < limits.endpoints;
  const allows = ofChannel ? limits.endpointsPerChannel : limits.endpoints;
  const setting = ofChannel ? 'registry.maxEndpointsPerChannel' : 'registry.zookeeper.maxEndpoints';
  const bound = valid.size > allows ? ({ setting, allows, holds: valid.size } as const) : undefined;
  return { followed: new Set(chooseNew(valid, new Map(), allows)), bound };
}

/** Why the node at a path is left out; undefined: nothing above it keeps an edge from it. @param namesIn the lists of its folders */
export function leftOut(
  path: string,
  pattern: TreePattern,
  namesIn: ReadonlyMap<string, Names>,
  limits: TreeLimits,
): LeftOut | undefined {
  for (const listed of listedNames(path, pattern)) {
    const { folder: at, name } = listed;
    const names = namesIn.get(at) ?? [];
    if (typeof names === 'string') return { reason: names, at };
    const { followed, bound } = followedNames(names, listed, limits);
    if (followed.has(name) || !names.includes(name)) continue;
    return isTooLong(name) || bound === undefined ? { reason: 'bad_name', at } : { reason: 'too_many', at, bound };
  }
  return undefined;
}

/** How many nodes all trees have. */
export interface Counted {
  /** Nodes below channels. */
  readonly endpoints: number;
  /** Channels' nodes, and those above them. */
  readonly folders: number;
  /** Nodes of the channel that was asked for. */
  readonly ofChannel: number;
}

/** The bounds that all trees together exceed: which of the nodes are left out depends on the order in which an edge finds them. */
export function exceededBounds({ endpoints, folders, ofChannel }: Counted, limits: TreeLimits): Bound[] {
  const bounds: Bound[] = [
    { setting: 'registry.zookeeper.maxEndpoints', allows: limits.endpoints, holds: Math.max(endpoints, folders) },
    { setting: 'registry.maxEndpointsPerChannel', allows: limits.endpointsPerChannel, holds: ofChannel },
  ];
  return bounds.filter(({ allows, holds }) => holds > allows);
}
