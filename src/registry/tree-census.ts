// The parts of a tree that cannot be used: each fault is noted once, and all are counted.

import type { SkipReason } from '../metrics.js';
import { shown } from './admission.js';
import { countIneligible } from './compose.js';
import type { Decoded, UnknownValue } from './formats/format.js';
import type { RegistryNote } from './registry.js';
import { type ChannelNode, isChannel, type ListedNode, type ReportNode, type TreeNode } from './tree-node.js';

/** Counts of what cannot be used now. */
export interface Census {
  /** Nodes, by reason. */
  readonly skipped: Record<string, number>;
  /** Reported values of endpoints that are used, by field and reason with a space between. */
  readonly unknown: Record<string, number>;
}

/** Adds to the count of a key. */
export function add(counts: Record<string, number>, key: string, count = 1): void {
  if (count > 0) counts[key] = (counts[key] ?? 0) + count;
}

const noneUnknown: readonly UnknownValue[] = [];

function unknownOf(decoded: Decoded): readonly UnknownValue[] {
  if (decoded.kind === 'defaults') return decoded.values.unknown;
  if (decoded.kind === 'weights') return decoded.unknown;
  if (decoded.kind !== 'endpoints') return noneUnknown;
  const { registrations } = decoded;
  // Nearly all nodes register one endpoint.
  if (registrations.length === 1) return registrations[0].values.unknown;
  return registrations.flatMap(({ values }) => values.unknown);
}

function countNode(channel: ChannelNode, node: TreeNode, to: Census): void {
  add(to.skipped, 'not_eligible', countIneligible(channel, node));
  add(to.skipped, 'too_many', node.leftOut);
  countData(node, to);
}

/** Adds the faults of a node's data. */
export function countData({ unreadable, decoded }: TreeNode | ReportNode, { skipped, unknown }: Census): void {
  if (unreadable !== undefined) add(skipped, unreadable);
  else if (decoded.kind === 'skipped') add(skipped, decoded.reason);
  else for (const { field, reason } of unknownOf(decoded)) add(unknown, `${field} ${reason}`);
}

/** Adds the faults of a folder, or of a channel with its children. Returns how many nodes that were. */
export function countFaults(node: ListedNode, to: Census): number {
  if (node.unlisted !== undefined) add(to.skipped, node.unlisted);
  for (const reason in node.left) add(to.skipped, reason, node.left[reason]);
  if (!isChannel(node)) return 1;
  countNode(node, node, to);
  for (const child of node.children.values()) countNode(node, child, to);
  return 1 + node.children.size;
}

type Note = (note: RegistryNote) => void;

/** Notes a registration that is not used, and why. */
export function noteSkipped(note: Note, reason: SkipReason, path: string): void {
  note({ kind: 'skipped', reason, path: shown(path) });
}

/** Notes a fault of a node once, however often it is reported. */
export function noteOnce(note: Note, node: TreeNode | ReportNode, fault: string, what: RegistryNote): void {
  node.noted ??= new Set();
  if (node.noted.has(fault)) return;
  node.noted.add(fault);
  note(what);
}

/** Notes the faults that the decoder of a node found. */
export function noteFaults(note: Note, node: TreeNode | ReportNode): void {
  const { decoded } = node;
  const path = shown(node.path);
  if (decoded.kind === 'skipped') {
    const { reason } = decoded;
    noteOnce(note, node, reason, { kind: 'skipped', reason, path });
  }
  for (const { field, reason } of unknownOf(decoded)) {
    noteOnce(note, node, `${field} ${reason}`, { kind: 'unknown_value', field, reason, path });
  }
}
