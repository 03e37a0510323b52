// Pure: explains how a node of a tree is read, and why an endpoint is used or not. It uses the same functions as the registry.

import type { FormatName } from '../config-schema/format-names.js';
import type { Endpoint } from '../model.js';
import { isTooLong } from './admission.js';
import { composeEndpoints } from './compose.js';
import { read } from './formats/decode.js';
import type { SkipReason, UnknownValue } from './formats/format.js';
import type { LeftOut } from './left-out.js';
import type { Place } from './place.js';
import { ReportNodes } from './report-nodes.js';
import { addVector, type ChannelNode, newChannel, newNode, type ReportNode, type TreeNode } from './tree-node.js';
import type { SeenNode } from './tree-reads.js';
import type { FollowedTree } from './tree-watch-options.js';

export interface NodeExplanation {
  readonly path: string;
  /** The pattern of its tree. */
  readonly tree: string;
  readonly channel: string;
  readonly level: Place['level'];
  /** The format that accepted it; undefined: none did. */
  readonly format: FormatName | undefined;
  readonly ephemeral: boolean;
  /** The version of the node. */
  readonly version: number;
  /** `not_eligible`: it says, or its channel says, that all of its endpoints serve nobody now. */
  readonly outcome: 'endpoints' | 'not_eligible' | 'defaults' | 'weights' | 'folder' | 'skipped';
  readonly reason: SkipReason | LeftOut['reason'] | undefined;
  /** Why an edge does not get as far as its data. */
  readonly leftOut: LeftOut | undefined;
  /** As they are used, with the values that their channel and their siblings add. */
  readonly endpoints: readonly Endpoint[];
  /** Addresses of its endpoints that serve nobody now. */
  readonly ineligible: readonly string[];
  readonly unknown: readonly UnknownValue[];
  /** Paths of other nodes that add values to it. */
  readonly saidBy: readonly string[];
  /** Report nodes that its endpoints name, and how they are read. */
  readonly reports: readonly {
    readonly path: string;
    readonly state: 'read' | 'missing' | SkipReason | NonNullable<SeenNode['unreadable']>;
  }[];
}

/** Other nodes that may add values to a node. */
export interface Around {
  /** The channel's own node. */
  readonly channel: SeenNode | undefined;
  /** Siblings. */
  readonly siblings: readonly SeenNode[];
  /** The report nodes that exist. */
  readonly reports?: readonly SeenNode[];
  /** What lists above the node say of it. */
  readonly leftOut?: LeftOut | undefined;
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The channel, with the defaults and weights for its endpoints. */
function channelNode(place: Place, formats: FollowedTree['formats'], around: Around): ChannelNode {
  const node = newChannel(place.channelPath, place.channel, place.channel, undefined);
  if (around.channel !== undefined) {
    const { data, stat } = around.channel;
    node.decoded = read({ name: place.channel, level: 'channel', data }, formats).decoded;
    node.stat = stat;
  }
  for (const { path, data } of around.siblings) {
    const sibling = newNode(path, nameOf(path));
    sibling.decoded = read({ name: sibling.name, level: 'endpoint', data }, formats).decoded;
    if (sibling.decoded.kind === 'weights') addVector(node, sibling);
  }
  return node;
}

/** The report nodes that the node names, as they are read. */
function readReports(parent: ChannelNode, node: TreeNode, found: readonly SeenNode[]): readonly ReportNode[] {
  const reports = new ReportNodes(() => {});
  reports.name(parent, node);
  for (const { path, data, stat, unreadable } of found) {
    const report = reports.get(path);
    if (report === undefined) continue;
    if (unreadable === undefined) reports.set(report, data, stat);
    else reports.setUnreadable(report, unreadable);
  }
  return node.reports;
}

function reportOf({ path, stat, decoded, unreadable }: ReportNode): NodeExplanation['reports'][number] {
  if (unreadable === 'no_auth' || unreadable === 'unreadable') return { path, state: unreadable };
  if (stat === undefined) return { path, state: 'missing' };
  return { path, state: decoded.kind === 'skipped' ? decoded.reason : 'read' };
}

function outcomeOf(kind: ReturnType<typeof read>['decoded']['kind'], used: number): NodeExplanation['outcome'] {
  if (kind === 'nothing') return 'folder';
  return kind === 'endpoints' && used === 0 ? 'not_eligible' : kind;
}

/** Explains how `found`, a node at `place`, is read in its tree. */
export function explain(
  place: Place,
  { pattern, formats }: FollowedTree,
  found: SeenNode,
  around: Around,
): NodeExplanation {
  const { level, channel, name } = place;
  const { path, data, stat } = found;
  const own = level === 'channel' ? { channel: found, siblings: [] } : around;
  const parent = channelNode(place, formats, own);
  const { decoded, format } = read({ name, level, data }, formats);
  const node = level === 'channel' ? parent : { ...newNode(path, name), decoded, stat };
  const named = readReports(parent, node, around.reports ?? []);
  const endpoints = composeEndpoints(parent, node);
  const registrations = decoded.kind === 'endpoints' ? decoded.registrations : [];
  const isOff = parent !== node && parent.decoded.kind === 'defaults' && !parent.decoded.eligible;
  const unknown =
    decoded.kind === 'defaults' ? decoded.values.unknown : decoded.kind === 'weights' ? decoded.unknown : [];
  const common = { path, tree: pattern.text, channel, level, format, ephemeral: stat.ephemeral, version: stat.version };
  const left = around.leftOut ?? (isTooLong(name) ? { reason: 'bad_name' as const, at: place.channelPath } : undefined);
  const reason = left?.reason ?? found.unreadable;
  if (reason !== undefined) {
    const nothing = { endpoints: [], ineligible: [], unknown: [], saidBy: [], reports: [] };
    return { ...common, outcome: 'skipped', reason, leftOut: left, ...nothing };
  }
  const saidBy = [
    ...(parent !== node && parent.decoded.kind === 'defaults' ? [parent.path] : []),
    ...[...parent.vectors].map((vector) => vector.path),
  ];
  return {
    ...common,
    outcome: outcomeOf(decoded.kind, endpoints.length),
    reason: decoded.kind === 'skipped' ? decoded.reason : undefined,
    leftOut: undefined,
    endpoints,
    ineligible: registrations.filter(({ eligible }) => isOff || !eligible).map(({ address }) => address),
    unknown: [
      ...unknown,
      ...registrations.flatMap(({ values }) => values.unknown),
      ...named.flatMap((report) => (report.decoded.kind === 'defaults' ? report.decoded.values.unknown : [])),
    ],
    saidBy: decoded.kind === 'endpoints' ? saidBy : [],
    reports: named.map(reportOf),
  };
}
