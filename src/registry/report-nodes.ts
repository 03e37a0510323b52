// Report nodes, whose load, bitrate and packet loss many endpoints share: which nodes name them, and their values. Pure
// bookkeeping.

import { shown } from './admission.js';
import { decodeReport } from './formats/report.js';
import type { RegistryNote } from './registry.js';
import { republish, type TreeChange, withdraw } from './republish.js';
import { add, type Census, countData, noteFaults, noteOnce } from './tree-census.js';
import { type ChannelNode, newReportNode, type ReportNode, type TreeNode } from './tree-node.js';
import type { Stat } from './zookeeper-client.js';

/** Reads and watches report nodes. */
export interface ReportOwner {
  /** A node names this report for the first time. */
  named(report: ReportNode): void;
  /** No node names this report any more. */
  unnamed(report: ReportNode): void;
}

const none: readonly string[] = [];

function pathsOf({ decoded }: TreeNode): readonly string[] {
  if (decoded.kind !== 'endpoints') return none;
  const { registrations } = decoded;
  const [{ report }] = registrations;
  if (registrations.length === 1) return report === undefined ? none : [report];
  return [...new Set(registrations.flatMap((one) => one.report ?? []))];
}

/** The report nodes of all trees. Sole owner of them, and of `reports` of the nodes that name them. */
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

  /** A node of a tree was read: its reports are now those that its data name. */
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

  /** The report was read. A new version counts as a report of all endpoints that name it. */
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

  /** The report node does not exist: endpoints have their own values. */
  setMissing(report: ReportNode): TreeChange[] {
    report.unreadable = undefined;
    if (report.stat === undefined) return [];
    report.stat = undefined;
    report.decoded = { kind: 'nothing' };
    return this.#changed(report, 0);
  }

  /** The report cannot be read now: its last values stay. */
  setUnreadable(report: ReportNode, reason: 'no_auth' | 'unreadable'): void {
    report.unreadable = reason;
    noteOnce(this.#note, report, reason, { kind: 'skipped', reason, path: shown(report.path) });
  }

  /** Adds its faults to the counts, and yields after some nodes how many they were. @param left nodes without room */
  *census(to: Census, left: number): Generator<number> {
    add(to.skipped, 'too_many', left);
    for (const report of this.#nodes.values()) {
      countData(report, to);
      yield 1;
    }
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
