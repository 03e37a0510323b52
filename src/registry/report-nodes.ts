// Nodes whose load, bitrate and packet loss many endpoints share: who names them, what they say. Pure bookkeeping.

import { shown } from './admission.js';
import { decodeReport } from './formats/report.js';
import type { RegistryNote } from './registry.js';
import { republish, type TreeChange, withdraw } from './republish.js';
import { add, type Census, countData, noteFaults, noteOnce } from './tree-census.js';
import { type ChannelNode, newReportNode, type ReportNode, type TreeNode } from './tree-node.js';
import type { Stat } from './zookeeper-client.js';

/** Who reads and watches them. */
export interface ReportOwner {
  /** It is named for the first time. */
  named(report: ReportNode): void;
  /** Nobody names it any more. */
  unnamed(report: ReportNode): void;
}

const none: readonly string[] = [];

function pathsOf({ decoded }: TreeNode): readonly string[] {
  if (decoded.kind !== 'endpoints') return none;
  const [{ report }, ...others] = decoded.registrations;
  if (others.length === 0) return report === undefined ? none : [report];
  return [...new Set(decoded.registrations.flatMap((one) => one.report ?? []))];
}

/** The report nodes of all trees. Sole owner of them, and of what nodes of the trees know of them. */
export class ReportNodes {
  readonly #nodes = new Map<string, ReportNode>();
  readonly #note: (note: RegistryNote) => void;
  readonly #owner: ReportOwner | undefined;

  constructor(note: (note: RegistryNote) => void, owner?: ReportOwner) {
    this.#note = note;
    this.#owner = owner;
  }

  get(path: string): ReportNode | undefined {
    return this.#nodes.get(path);
  }

  /** A node of a tree was read: it names these now, and none of those that it named before. */
  name(channel: ChannelNode, node: TreeNode): void {
    const before = node.reports;
    const paths = pathsOf(node);
    if (before.length === 0 && paths.length === 0) return;
    node.reports = paths.map((path) => this.#join(path, channel, node));
    const now = new Set(node.reports);
    for (const report of before) if (!now.has(report)) this.#leave(report, node);
  }

  /** A node of a tree registers nothing any more, and names no report. */
  withdraw(node: TreeNode): TreeChange[] {
    for (const report of node.reports) this.#leave(report, node);
    node.reports = [];
    return withdraw(node);
  }

  /** It was read. A new version of it is a report of all endpoints that name it. */
  set(report: ReportNode, data: Uint8Array, stat: Stat): TreeChange[] {
    report.unreadable = undefined;
    const before = report.stat;
    if (before?.czxid === stat.czxid && before.version === stat.version && before.mtime === stat.mtime) return [];
    if (before?.czxid !== stat.czxid) report.noted = undefined;
    report.stat = stat;
    report.decoded = decodeReport(data);
    noteFaults(this.#note, report);
    return this.#changed(report, stat.version);
  }

  /** It is not there: endpoints have the values that they say themselves. */
  setMissing(report: ReportNode): TreeChange[] {
    report.unreadable = undefined;
    if (report.stat === undefined) return [];
    report.stat = undefined;
    report.decoded = { kind: 'nothing' };
    return this.#changed(report, 0);
  }

  /** What is known of it stands although it cannot be read now. */
  setUnreadable(report: ReportNode, reason: 'no_auth' | 'unreadable'): void {
    report.unreadable = reason;
    noteOnce(this.#note, report, reason, { kind: 'skipped', reason, path: shown(report.path) });
  }

  /** Adds what cannot be used. @param left how many there is no room for */
  census(to: Census, left: number): void {
    add(to.skipped, 'too_many', left);
    for (const report of this.#nodes.values()) countData(report, to);
  }

  #changed(report: ReportNode, version: number): TreeChange[] {
    report.version = Math.max(report.version, version) + 1;
    return [...report.users].flatMap(([node, channel]) => republish(channel, node, 'newer'));
  }

  #join(path: string, channel: ChannelNode, node: TreeNode): ReportNode {
    const known = this.#nodes.get(path);
    const report = known ?? newReportNode(path);
    report.users.set(node, channel);
    if (known !== undefined) return known;
    this.#nodes.set(path, report);
    this.#owner?.named(report);
    return report;
  }

  #leave(report: ReportNode, node: TreeNode): void {
    report.users.delete(node);
    if (report.users.size > 0) return;
    this.#nodes.delete(report.path);
    this.#owner?.unnamed(report);
  }
}
