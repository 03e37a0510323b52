// Follows the tree below a root: one full watched read after every (re)connect, then what the watches tell.

import { Reads, type TreeReader } from './reads.js';
import type { RegistryNote, RegistrySink } from './registry.js';
import { RootIdentity } from './root-identity.js';
import { Tree, type TreeChange, type TreeLimits } from './tree.js';
import { TreeAccounts } from './tree-accounts.js';
import type { ChannelNode, TreeNode } from './tree-node.js';
import { rc, type Stat, unreadableReason, type WatchEvent } from './zookeeper-client.js';

export type { TreeReader } from './reads.js';

export interface TreeWatchOptions {
  /** The node whose children are the channels. */
  readonly root: string;
  /** Reads under way at once. */
  readonly readDepth: number;
  /** Length of the chroot in bytes: the watches of a session are sent with it. */
  readonly chrootBytes: number;
  /** True: somebody was told endpoints before, so a missing root must not pass for an empty one. */
  readonly known: boolean;
  /** Milliseconds that origins are given to register again below a root that was made anew. */
  readonly settling: number;
  readonly limits: TreeLimits;
  /** Epoch milliseconds, fractional. */
  readonly now: () => number;
}

const rereadDelay = 1_000;
const deniedDelay = 10_000;

/**
 * - idle: no client. The last picture stands.
 * - reading: a full read is under way; nothing is told before it is complete.
 * - rootless: the root is missing and something is known: that stands until the root appears.
 * - settling: the root was made anew, so the server lost its data: what is known stands until the origins had time to return.
 * - following: complete; every change is told of.
 */
type Mode = 'idle' | 'reading' | 'rootless' | 'settling' | 'following';

export class TreeWatch {
  readonly #tree: Tree;
  readonly #accounts: TreeAccounts;
  readonly #reads: Reads;
  #mode: Mode = 'idle';
  #reader: TreeReader | undefined;
  #known: boolean;
  #live = false;
  #rereadTimer: NodeJS.Timeout | undefined;
  /** What was told to be missing, once until it is there. */
  #missing: 'root' | 'chroot' | undefined;
  readonly #root: RootIdentity;
  readonly #options: TreeWatchOptions;
  readonly #sink: RegistrySink;

  constructor(options: TreeWatchOptions, sink: RegistrySink) {
    this.#options = options;
    this.#sink = sink;
    const note = (one: RegistryNote) => sink.note(one);
    this.#tree = new Tree(options.root, options.limits, note);
    this.#accounts = new TreeAccounts(this.#tree, options.chrootBytes, note);
    this.#reads = new Reads(options.readDepth, {
      // The session says so as well, and then everything is read again; the timer is for when it does not.
      lost: () => this.#rereadAfter(rereadDelay),
      complete: () => this.#complete(),
    });
    this.#known = options.known;
    this.#root = new RootIdentity(options.settling);
  }

  /** True: so much is watched that the session could never be resumed. */
  get beyondLimit(): boolean {
    return this.#accounts.beyondLimit;
  }

  /** A session is there, new or again: reads everything and then tells it as one `replace`. */
  start(reader: TreeReader): void {
    this.#reader = reader;
    this.#mode = 'reading';
    this.#forget();
    this.#lookForRoot();
  }

  /** The connection is gone: what was told stands. */
  stop(): void {
    this.#sayStale();
    this.release();
  }

  /** Ends it without a word. */
  release(): void {
    this.#reader = undefined;
    this.#forget();
    this.#accounts.release();
    this.#mode = 'idle';
  }

  /** Reads everything again and tells the difference, in case a watch was lost. */
  reconcile(): void {
    if (this.#mode === 'following' && this.#reads.settled) this.#readRoot(true);
    else if (this.#mode === 'rootless') this.#restart();
  }

  event(event: WatchEvent, path: string): void {
    const seenAt = this.#options.now();
    this.#sink.note({ kind: 'event', event });
    if (this.#mode === 'idle' || this.#mode === 'settling') return;
    if (path === this.#options.root) {
      if (this.#mode === 'rootless' || event === 'created') this.#restart();
      else this.#readRoot(false, seenAt);
      return;
    }
    const found = this.#tree.find(path);
    if (found === undefined) return;
    const { channel, child } = found;
    if (event === 'deleted') {
      const changes = child ? this.#tree.removeChild(channel, child) : this.#tree.removeChannel(channel);
      this.#tell(changes, seenAt);
    } else if (event === 'child') this.#readChildren(channel, false, seenAt);
    else this.#readData(channel, child, false, seenAt);
  }

  /** Only what was live goes stale: before the first picture there is nothing to freeze. */
  #sayStale(): void {
    if (this.#live) this.#sink.status('stale');
    this.#live = false;
  }

  /** What was asked for is not waited for any more. */
  #forget(): void {
    this.#reads.begin(this.#reader);
    clearTimeout(this.#rereadTimer);
    this.#rereadTimer = undefined;
  }

  #restart(): void {
    if (this.#reader !== undefined) this.start(this.#reader);
  }

  #rereadAfter(delay: number): void {
    this.#rereadTimer ??= setTimeout(() => {
      this.#rereadTimer = undefined;
      this.#restart();
    }, delay);
  }

  /** The first question of a full read: is it still the root that was read before? */
  #lookForRoot(): void {
    const { root } = this.#options;
    this.#reads.read<[Stat | undefined]>(
      true,
      (reader, done) => reader.exists(root, false, done),
      (code, stat) => {
        if (code === rc.noNode) return this.#awaitRoot();
        if (code !== rc.ok || stat === undefined) return this.#rootUnreadable(code);
        this.#missing = undefined;
        const wait = this.#root.found(stat, !this.#nothingKnown, this.#options.now());
        if (wait > 0) this.#settle(wait);
        else this.#readRoot(true);
      },
    );
  }

  #settle(time: number): void {
    this.#forget();
    this.#sayStale();
    this.#mode = 'settling';
    this.#rereadAfter(time);
  }

  get #nothingKnown(): boolean {
    return !this.#known && this.#tree.endpoints().next().done === true;
  }

  #readRoot(full: boolean, seenAt?: number): void {
    const { root } = this.#options;
    this.#reads.read<[readonly string[]]>(
      full,
      (reader, done) => reader.children(root, true, done),
      (code, names) => {
        if (code === rc.noNode) return this.#awaitRoot();
        if (code !== rc.ok) return this.#rootUnreadable(code);
        this.#tree.setRootUnreadable(undefined);
        const { added, changes } = this.#tree.setChannels(names);
        this.#tell(changes, seenAt);
        const channels = full ? this.#tree.channels.values() : added;
        for (const channel of channels) this.#readData(channel, undefined, full, seenAt, true);
      },
    );
  }

  #awaitRoot(): void {
    const { root } = this.#options;
    this.#reads.read<[unknown]>(
      false,
      (reader, done) => reader.exists(root, true, done),
      (code) => {
        if (code === rc.ok) return this.#restart();
        if (code !== rc.noNode) return this.#rootUnreadable(code);
        if (this.#mode === 'following' && this.#nothingKnown) return;
        if (this.#options.chrootBytes === 0) return this.#withoutRoot('root');
        // A chroot that is missing hides everything.
        this.#reads.read<[unknown]>(
          false,
          (reader, done) => reader.exists('/', false, done),
          (code) => this.#withoutRoot(code === rc.noNode ? 'chroot' : 'root'),
        );
      },
    );
    // Nothing is complete before the watch for the root is set.
    if (this.#mode === 'reading') this.#reads.hold();
  }

  #withoutRoot(missing: 'root' | 'chroot'): void {
    if (this.#missing !== missing) this.#sink.note({ kind: 'missing', node: missing, path: this.#options.root });
    this.#missing = missing;
    this.#forget();
    this.#root.missing(!this.#nothingKnown);
    if (this.#nothingKnown) return this.#complete();
    this.#sayStale();
    this.#mode = 'rootless';
  }

  #readData(
    channel: ChannelNode,
    child: TreeNode | undefined,
    full: boolean,
    seenAt?: number,
    withChildren = false,
  ): void {
    const { path } = child ?? channel;
    this.#reads.read<[Uint8Array, Parameters<Tree['setData']>[3] | undefined]>(
      full,
      (reader, done) => reader.get(path, true, done),
      (code, data, stat) => {
        const found = this.#tree.find(path);
        if (found?.channel !== channel || found.child !== child) return;
        if (code === rc.noNode) {
          this.#tell(child ? this.#tree.removeChild(channel, child) : this.#tree.removeChannel(channel), seenAt);
          return;
        }
        if (code !== rc.ok || stat === undefined) this.#unreadable(child ?? channel, code, 'data');
        else this.#tell(this.#tree.setData(channel, child, data, stat), seenAt);
        if (!withChildren) return;
        if (stat?.ephemeral === true) this.#tell(this.#tree.setChildren(channel, []).changes, seenAt);
        else this.#readChildren(channel, full, seenAt);
      },
    );
  }

  #readChildren(channel: ChannelNode, full: boolean, seenAt?: number): void {
    this.#reads.read<[readonly string[]]>(
      full,
      (reader, done) => reader.children(channel.path, true, done),
      (code, names) => {
        if (this.#tree.channels.get(channel.name) !== channel || code === rc.noNode) return;
        if (code !== rc.ok) return this.#unreadable(channel, code, 'children');
        const { added, changes } = this.#tree.setChildren(channel, names);
        this.#tell(changes, seenAt);
        for (const child of full ? channel.children.values() : added) this.#readData(channel, child, full, seenAt);
      },
    );
  }

  /** What is known of an unreadable node stands; nobody is told that it vanished. */
  #unreadable(node: ChannelNode | TreeNode, code: number, what: 'data' | 'children'): void {
    this.#tree.setUnreadable(node, unreadableReason(code), what);
    this.#accounts.changed();
  }

  #rootUnreadable(code: number): void {
    this.#tree.setRootUnreadable(unreadableReason(code));
    this.#accounts.changed();
    this.#forget();
    this.#sayStale();
    this.#mode = 'reading';
    this.#rereadAfter(deniedDelay);
  }

  #tell(changes: readonly TreeChange[], seenAt?: number): void {
    this.#accounts.changed();
    if (this.#mode !== 'following') return;
    for (const change of changes) {
      if (change.kind === 'put') this.#sink.put(change.endpoint, seenAt);
      else this.#sink.drop(change.id, seenAt);
    }
  }

  #complete(): void {
    this.#accounts.count();
    if (this.#mode !== 'reading') return;
    this.#mode = 'following';
    this.#known = false;
    this.#sink.replace(this.#tree.endpoints());
    this.#sink.status('live');
    this.#live = true;
  }
}
