// Follows trees through one or several sessions: a full read with watches after every (re)connect, then what the watches
// report.

import { BaseWatch } from './base-watch.js';
import { SessionPlacement } from './placement.js';
import type { TreeReader } from './reads.js';
import type { RegistryNote, RegistrySink } from './registry.js';
import { Relist } from './relist.js';
import { ReportWatch } from './report-watch.js';
import type { TreeChange } from './republish.js';
import { SessionShare, type ShareOwner } from './session-share.js';
import { Tree } from './tree.js';
import { TreeAccounts, watchedBytesLimit } from './tree-accounts.js';
import { TreeRoom } from './tree-room.js';
import type { TreeWatchOptions } from './tree-watch-options.js';
import type { WatchEvent } from './zookeeper-client.js';

export type { TreeReader } from './reads.js';

const rereadDelayMs = 1_000;
/** Longest wait per node before a full read, so that edges that lost the same server do not all read at once. */
const jitterMsPerNode = 0.05;
/** Less is not worth a timer. */
const minJitterMs = 10;
/** Nodes per session whose data one reconciliation reads again. */
const sweptAtOnce = 5_000;

/** Follows trees with watches, and feeds a sink. Sole owner of the shares of all sessions. */
export class TreeWatch {
  readonly #trees: readonly Tree[];
  readonly #bases: readonly BaseWatch[];
  readonly #baseOf: ReadonlyMap<Tree, BaseWatch>;
  readonly #shares: SessionShare[] = [];
  readonly #placement: SessionPlacement;
  readonly #reports: ReportWatch;
  readonly #accounts: TreeAccounts;
  #known: boolean;
  #live = false;
  /** A complete picture was published. */
  #pictured = false;
  #lookTimer: NodeJS.Timeout | undefined;
  readonly #relist: Relist;
  readonly #options: TreeWatchOptions;
  readonly #sink: RegistrySink;

  constructor(options: TreeWatchOptions, sink: RegistrySink) {
    this.#options = options;
    this.#sink = sink;
    this.#known = options.known;
    const note = (one: RegistryNote) => sink.note(one);
    const room = new TreeRoom(options.limits);
    this.#reports = new ReportWatch({
      ...{ maxWatched: options.limits.endpoints, chrootBytes: options.chrootBytes, note },
      roomiest: () => this.#placement.roomiest(),
      publish: (share, changes, seenAt) => this.#publish(share, changes, seenAt),
    });
    const { nodes } = this.#reports;
    this.#trees = options.trees.map(({ pattern, formats }) => new Tree(pattern, room, note, formats, nodes));
    this.#accounts = new TreeAccounts([...this.#trees, this.#reports], this.#shares, note);
    this.#relist = new Relist(this.#shares);
    const first = this.#addShare();
    this.#placement = new SessionPlacement({
      shares: this.#shares,
      maxUnanswered: options.readDepth,
      open: () => this.#openShare(),
    });
    this.#bases = this.#trees.map((tree) => this.#baseWatch(tree, first));
    this.#baseOf = new Map(this.#bases.map((base) => [base.tree, base]));
    for (const tree of this.#trees) first.take(tree, tree.base);
  }

  /** A session has a connection. @param fresh a new session, which has no watches */
  connected(session: number, reader: TreeReader, fresh = true): void {
    const share = this.#shares[session];
    if (share === undefined) return;
    share.begin(reader, fresh);
    this.#readAgain(share, fresh);
    const jitterMs = fresh && this.#pictured ? this.#options.random() * jitterMsPerNode * this.#nodes(share) : 0;
    this.#lookAfter(jitterMs < minJitterMs ? 0 : jitterMs);
  }

  /** A connection is lost: known endpoints stay. Returns whether its session could never be resumed. */
  disconnected(session: number): boolean {
    const share = this.#shares[session];
    if (share === undefined) return false;
    this.#sayStale();
    this.#end(share);
    return share.bytes >= watchedBytesLimit;
  }

  /** Ends all sessions' shares and timers without a status. */
  release(): void {
    for (const share of this.#shares) this.#end(share);
    this.#relist.release();
    this.#accounts.release();
  }

  /** Lists everything again, reads some of the data, and publishes the difference, in case a watch was lost. */
  reconcile(): void {
    if (!this.#shares.every((share) => share.reader !== undefined && share.reads.settled)) return;
    for (const share of this.#shares) {
      share.sweep(sweptAtOnce);
      this.#reports.sweep(share, sweptAtOnce);
      this.#readAgain(share);
    }
    this.#lookAfter(0);
  }

  event(session: number, event: WatchEvent, path: string): void {
    const share = this.#shares[session];
    const seenAt = this.#options.now();
    this.#sink.note({ kind: 'event', event });
    if (share?.reader === undefined) return;
    if (event !== 'child') this.#reports.event(share, path, seenAt);
    for (const base of this.#bases) {
      const { tree } = base;
      if (path === tree.pattern.base && (event === 'created' || event === 'deleted' || base.state !== 'open')) {
        this.#lookAgain(tree);
        continue;
      }
      const found = base.state === 'open' ? tree.find(path) : undefined;
      if (found === undefined) continue;
      const node = found.folder ?? found.channel;
      if (share.holds(node)) share.event(event, tree, node, found.folder ? undefined : found.child, seenAt);
    }
  }

  #addShare(): SessionShare {
    const shares = this.#shares;
    const depth = () => Math.max(1, Math.floor(this.#options.readDepth / shares.length));
    const { chrootBytes } = this.#options;
    const share = new SessionShare(this.#owner, { depth, chrootBytes, first: shares.length === 0 });
    shares.push(share);
    return share;
  }

  #openShare(): SessionShare | undefined {
    if (this.#shares.length >= this.#options.maxSessions) return undefined;
    const share = this.#addShare();
    this.#options.openSession(this.#shares.length - 1);
    return share;
  }

  #baseWatch(tree: Tree, { reads }: SessionShare): BaseWatch {
    const { chrootBytes, settlingMs, now } = this.#options;
    return new BaseWatch({
      ...{ tree, reads, chrootBytes, settlingMs, now },
      known: () => !this.#isEmpty(tree),
      looked: (state, before) => {
        this.#accounts.changed();
        if (state !== 'open') return state === 'empty' ? undefined : this.#sayStale();
        if (before !== 'open') for (const share of this.#shares) share.due.add(tree);
        for (const share of this.#shares) {
          if (share.reader === undefined || !share.due.delete(tree)) continue;
          share.readTree(tree);
          this.#reports.read(share);
        }
      },
      missing: (node, path) => this.#sink.note({ kind: 'missing', node, path }),
    });
  }

  readonly #owner: ShareOwner = {
    publish: (share, changes, seenAt) => this.#publish(share, changes, seenAt),
    made: (tree, nodes, full, seenAt) => {
      for (const node of nodes) this.#placement.add({ tree, node, full, seenAt });
      this.#placement.proceed();
    },
    gone: (channels) => this.#placement.gone(channels),
    answered: (share, tree, node, first) => this.#placement.answered(share, tree, node, first),
    vanished: (share, tree, node, seenAt) => {
      const { parent } = node;
      const { gone, changes } = tree.remove(node);
      this.#placement.gone([node, ...gone]);
      this.#publish(share, changes, seenAt);
      // The node may have been created again, and be in the other session's list already.
      if (parent !== undefined && !share.holds(parent)) this.#relist.soon(tree, parent);
    },
    baseMissing: (tree) => this.#lookAgain(tree),
    baseDenied: (tree, code) => this.#baseOf.get(tree)?.denied(code),
    complete: () => this.#check(),
    lost: (share) => {
      // The session reports this too, and then everything is read again; the timer is for when it does not.
      share.begin(share.reader, false);
      this.#placement.lost(share);
      this.#readAgain(share);
      this.#lookAfter(rereadDelayMs);
    },
    isOpen: (tree) => this.#baseOf.get(tree)?.state === 'open',
  };

  #isEmpty(tree: Tree): boolean {
    return !this.#known && tree.endpoints().next().done === true;
  }

  #nodes(share: SessionShare): number {
    return share.size + share.bytes / 50;
  }

  /** The status becomes stale only if it was live: before the first picture nothing is known. */
  #sayStale(): void {
    if (this.#live) this.#sink.status('stale');
    this.#live = false;
  }

  #end(share: SessionShare): void {
    share.begin(undefined, false);
    this.#placement.lost(share);
    if (share !== this.#shares[0]) return;
    clearTimeout(this.#lookTimer);
    this.#lookTimer = undefined;
    for (const base of this.#bases) base.release();
  }

  #readAgain(share: SessionShare, fresh = false): void {
    this.#reports.begin(share, fresh);
    for (const tree of this.#trees) share.due.add(tree);
  }

  /** Due trees are read after a look at their bases: a server that lost its data has no base, or another one. */
  #lookAfter(delayMs: number): void {
    if (this.#lookTimer !== undefined) return;
    const look = () => {
      this.#lookTimer = undefined;
      const [first] = this.#shares;
      if (first?.reader === undefined) return;
      for (const base of this.#bases) base.look();
    };
    if (delayMs === 0) look();
    else this.#lookTimer = setTimeout(look, delayMs);
  }

  /** The base itself changed, or is not followed. */
  #lookAgain(tree: Tree): void {
    this.#shares[0]?.due.add(tree);
    this.#baseOf.get(tree)?.look();
  }

  /**
   * During a full read only new reports are published: an endpoint that is missing in one list may be in another one, and is
   * dropped with the complete picture.
   */
  #publish(share: SessionShare, changes: readonly TreeChange[], seenAt: number | undefined): void {
    const newsOnly = this.#pictured && this.#isComplete(share);
    if (!this.#live && !newsOnly) return;
    this.#accounts.changed();
    for (const change of changes) {
      if (change.kind === 'put') this.#sink.put(change.endpoint, seenAt);
      else if (this.#live) this.#sink.drop(change.id, seenAt);
    }
  }

  #isComplete({ reader, reads, due }: SessionShare): boolean {
    const waits = [...due].some((tree) => this.#baseOf.get(tree)?.state === 'open');
    return reader !== undefined && reads.settled && !waits;
  }

  #isDecided({ state, tree }: BaseWatch): boolean {
    if (state === 'open' || state === 'empty') return true;
    // The endpoints of an earlier process may have been of another tree.
    const nothing = tree.endpoints().next().done === true;
    return state === 'missing' && nothing && this.#bases.some((base) => base.state === 'open');
  }

  #check(): void {
    if (this.#live || !this.#placement.done) return;
    if (!this.#bases.every((base) => this.#isDecided(base))) return;
    if (!this.#shares.every((share) => this.#isComplete(share))) return;
    this.#accounts.count();
    this.#known = false;
    this.#pictured = true;
    this.#sink.replace(this.#endpoints());
    this.#sink.status('live');
    this.#live = true;
  }

  *#endpoints() {
    for (const tree of this.#trees) yield* tree.endpoints();
  }
}
