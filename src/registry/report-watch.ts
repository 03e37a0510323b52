// Reads and watches the report nodes, each through one of the sessions: after every connect, and when their watches fire.

import type { RegistryNote } from './registry.js';
import { ReportNodes } from './report-nodes.js';
import type { TreeChange } from './republish.js';
import type { SessionShare } from './session-share.js';
import { watchCost } from './tree.js';
import { type Census, noteSkipped } from './tree-census.js';
import type { ReportNode } from './tree-node.js';
import { rc, type Stat, unreadableReason } from './zookeeper-client.js';

export interface ReportWatchOptions {
  /** Bound on the watched report nodes, including those that no node names any more. */
  readonly maxWatched: number;
  /** Length of the chroot in bytes: watches are re-armed with it. */
  readonly chrootBytes: number;
  /** The session that is given the next watch. */
  readonly roomiest: () => SessionShare;
  readonly publish: (share: SessionShare, changes: readonly TreeChange[], seenAt: number | undefined) => void;
  readonly note: (note: RegistryNote) => void;
}

interface Watched {
  readonly share: SessionShare;
  /** It must be read as soon as its session has a connection. */
  due: boolean;
  /** A read is under way, whose answer may be lost with the connection. */
  asked: boolean;
}

/** The watches of report nodes. */
export class ReportWatch {
  readonly nodes: ReportNodes;
  /** By path, including those that no node names any more, since the client cannot remove a watch. Least recently swept first. */
  readonly #watched = new Map<string, Watched>();
  /** Report nodes that there is no room for. */
  readonly #left = new Set<ReportNode>();
  readonly #options: ReportWatchOptions;

  constructor(options: ReportWatchOptions) {
    this.#options = options;
    this.nodes = new ReportNodes(options.note, {
      named: (report) => this.#follow(report),
      unnamed: (report) => this.#left.delete(report),
    });
  }

  /** Adds its faults to the counts, and yields after some nodes how many they were. */
  census(to: Census): Generator<number> {
    return this.nodes.census(to, this.#left.size);
  }

  /** Forgets the reads of a session that are under way. @param fresh a new session, which has no watches */
  begin(share: SessionShare, fresh: boolean): void {
    for (const [path, watched] of [...this.#watched]) {
      if (watched.share !== share) continue;
      if (fresh && this.nodes.get(path) === undefined) this.#forget(path, watched);
      else if (fresh || watched.asked) watched.due = true;
    }
    this.#admit();
  }

  /** Makes the next `count` reports of a session due, in case a watch was lost. All get their turn. */
  sweep(share: SessionShare, count: number): void {
    const own = [...this.#watched].filter(([, watched]) => watched.share === share).slice(0, count);
    for (const [path, watched] of own) {
      watched.due = true;
      this.#watched.delete(path);
      this.#watched.set(path, watched);
    }
  }

  /** Reads the due reports of a session. */
  read(share: SessionShare): void {
    for (const [path, watched] of this.#watched) {
      const report = watched.due && watched.share === share ? this.nodes.get(path) : undefined;
      if (report !== undefined) this.#read(report, watched, true);
    }
  }

  /** A watch of a session fired. */
  event(share: SessionShare, path: string, seenAt: number): void {
    const watched = this.#watched.get(path);
    if (watched?.share !== share) return;
    const report = this.nodes.get(path);
    if (report !== undefined) return this.#read(report, watched, false, seenAt);
    this.#forget(path, watched);
    this.#admit();
  }

  #follow(report: ReportNode): void {
    const { path } = report;
    let watched = this.#watched.get(path);
    if (watched === undefined) {
      if (this.#watched.size >= this.#options.maxWatched) {
        if (this.#left.size === 0) noteSkipped(this.#options.note, 'too_many', path);
        this.#left.add(report);
        return;
      }
      watched = { share: this.#options.roomiest(), due: true, asked: false };
      this.#watched.set(path, watched);
      watched.share.otherBytes += this.#cost(path);
    }
    this.#read(report, watched, true);
  }

  /** Follows waiting reports as far as there is room. */
  #admit(): void {
    for (const report of this.#left) {
      if (this.#watched.size >= this.#options.maxWatched) return;
      this.#left.delete(report);
      this.#follow(report);
    }
  }

  #forget(path: string, { share }: Watched): void {
    this.#watched.delete(path);
    share.otherBytes -= this.#cost(path);
  }

  #cost(path: string): number {
    return watchCost(path) + this.#options.chrootBytes;
  }

  #read(report: ReportNode, watched: Watched, full: boolean, seenAt?: number): void {
    const { share } = watched;
    watched.due = share.reader === undefined;
    watched.asked = !watched.due;
    share.reads.read<[Uint8Array, Stat | undefined]>(
      full,
      (reader, done) => reader.get(report.path, true, done),
      (code, data, stat) => {
        if (this.nodes.get(report.path) !== report) return;
        if (code === rc.noNode) {
          this.#await(report, watched, full, seenAt);
          return this.#options.publish(share, this.nodes.setMissing(report), seenAt);
        }
        watched.asked = false;
        if (code === rc.ok && stat !== undefined) {
          return this.#options.publish(share, this.nodes.set(report, data, stat), seenAt);
        }
        this.nodes.setUnreadable(report, unreadableReason(code));
        this.#options.publish(share, [], seenAt);
      },
    );
  }

  /** Sets a watch for a missing report node. */
  #await(report: ReportNode, watched: Watched, full: boolean, seenAt: number | undefined): void {
    watched.share.reads.read<[Stat | undefined]>(
      full,
      (reader, done) => reader.exists(report.path, true, done),
      (code) => {
        if (this.nodes.get(report.path) !== report) return;
        watched.asked = false;
        if (code === rc.ok) this.#read(report, watched, full, seenAt);
      },
    );
  }
}
