// Follows the tree below a root: one full watched read after every (re)connect, then what the watches tell.

import { ReadQueue } from './read-queue.js';
import type { RegistryNote, RegistrySink } from './registry.js';
import { type ChannelNode, Tree, type TreeChange, type TreeNode } from './tree.js';
import { isLost, rc, type Stat, type WatchEvent, type ZooKeeperClient } from './zookeeper-client.js';

/** What is read with; the part of the client that this needs. */
export type TreeReader = Pick<ZooKeeperClient, 'get' | 'children' | 'exists'>;

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
  /** Epoch milliseconds, fractional. */
  readonly now: () => number;
}

/** Re-arming all watches takes one packet; at 1,048,575 bytes (`jute.maxbuffer`) the server refuses it. */
const watchedBytesAlarm = 800_000;
const watchedBytesLimit = 1_000_000;

const rereadDelay = 1_000;
const deniedDelay = 10_000;
const measureDelay = 1_000;

/**
 * - idle: no client. The last picture stands.
 * - reading: a full read is under way; nothing is told before it is complete.
 * - rootless: the root is missing and something is known: that stands until the root appears.
 * - settling: the root was made anew, so the server lost its data: what is known stands until the origins had time to return.
 * - following: complete; every change is told of.
 */
type Mode = 'idle' | 'reading' | 'rootless' | 'settling' | 'following';

export class TreeWatch {
  private readonly tree: Tree;
  private readonly queue: ReadQueue;
  private mode: Mode = 'idle';
  private reader: TreeReader | undefined;
  /** Answers of an earlier epoch are ignored. */
  private epoch = 0;
  /** Reads of the running full read that are not answered yet. */
  private outstanding = 0;
  private known: boolean;
  private live = false;
  private rereadTimer: NodeJS.Timeout | undefined;
  private measureTimer: NodeJS.Timeout | undefined;
  private bytes = 0;
  /** Which root was read last; `none` when it was missing although something is known. */
  private rootId: string | undefined;
  /** Nothing is read before, in the milliseconds of `now`. */
  private settledAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: TreeWatchOptions,
    private readonly sink: RegistrySink,
  ) {
    this.tree = new Tree(options.root, (note: RegistryNote) => sink.note(note));
    this.queue = new ReadQueue(options.readDepth);
    this.known = options.known;
  }

  /** True: so much is watched that the session could never be resumed. */
  get beyondLimit(): boolean {
    return this.bytes >= watchedBytesLimit;
  }

  /** A session is there, new or again: reads everything and then tells it as one `replace`. */
  start(reader: TreeReader): void {
    this.reader = reader;
    this.mode = 'reading';
    this.nextEpoch();
    this.lookForRoot();
  }

  /** The connection is gone: what was told stands. */
  stop(): void {
    this.sayStale();
    this.release();
  }

  /** Ends it without a word. */
  release(): void {
    this.nextEpoch();
    clearTimeout(this.measureTimer);
    this.measureTimer = undefined;
    this.mode = 'idle';
    this.reader = undefined;
  }

  /** Reads everything again and tells the difference, in case a watch was lost. */
  reconcile(): void {
    if (this.mode === 'following' && this.outstanding === 0) this.readRoot(true);
    else if (this.mode === 'rootless') this.restart();
  }

  event(event: WatchEvent, path: string): void {
    const seenAt = this.options.now();
    this.sink.note({ kind: 'event', event });
    if (this.mode === 'idle' || this.mode === 'settling') return;
    if (path === this.options.root) {
      if (this.mode === 'rootless' || event === 'created') this.restart();
      else this.readRoot(false, seenAt);
      return;
    }
    const found = this.tree.find(path);
    if (found === undefined) return;
    const { channel, child } = found;
    if (event === 'deleted') {
      const changes = child ? this.tree.removeChild(channel, child) : this.tree.removeChannel(channel);
      this.tell(changes, seenAt);
    } else if (event === 'child') this.readChildren(channel, false, seenAt);
    else this.readData(channel, child, false, seenAt);
  }

  /** Only what was live goes stale: before the first picture there is nothing to freeze. */
  private sayStale(): void {
    if (this.live) this.sink.status('stale');
    this.live = false;
  }

  private nextEpoch(): void {
    this.epoch++;
    this.outstanding = 0;
    this.queue.clear();
    clearTimeout(this.rereadTimer);
    this.rereadTimer = undefined;
  }

  private restart(): void {
    if (this.reader !== undefined) this.start(this.reader);
  }

  private rereadAfter(delay: number): void {
    this.rereadTimer ??= setTimeout(() => {
      this.rereadTimer = undefined;
      this.restart();
    }, delay);
  }

  /**
   * Queues one read. `apply` gets the answer unless it is of an earlier epoch or lost with its connection. `full`: it
   * belongs to the full read, which is complete when the last of its reads was answered.
   */
  private read<A extends unknown[]>(
    full: boolean,
    send: (reader: TreeReader, done: (code: number, ...answer: A) => void) => void,
    apply: (code: number, ...answer: A) => void,
  ): void {
    const { epoch, reader } = this;
    if (reader === undefined) return;
    if (full) this.outstanding++;
    const answered = (code: number, ...answer: A) => {
      if (epoch !== this.epoch) return;
      if (isLost(code)) {
        // The session says so as well, and then everything is read again; the timer is for when it does not.
        this.rereadAfter(rereadDelay);
        return;
      }
      apply(code, ...answer);
      if (epoch !== this.epoch) return;
      if (full && --this.outstanding === 0) this.complete();
      if (epoch === this.epoch) this.queue.done();
    };
    this.queue.add(() => send(reader, answered), !full);
  }

  /** The first question of a full read: is it still the root that was read before? */
  private lookForRoot(): void {
    const { root } = this.options;
    this.read<[Stat | undefined]>(
      true,
      (reader, done) => reader.exists(root, false, done),
      (code, stat) => {
        if (code === rc.noNode) return this.awaitRoot();
        if (code !== rc.ok || stat === undefined) return this.unreadable(root, code);
        const now = this.options.now();
        const id = `${stat.czxid}-${stat.ctime}`;
        if (this.rootId !== undefined && this.rootId !== id && !this.nothingKnown) {
          this.settledAt = now + this.options.settling;
        }
        this.rootId = id;
        if (now < this.settledAt) this.settle(this.settledAt - now);
        else this.readRoot(true);
      },
    );
  }

  private settle(time: number): void {
    this.nextEpoch();
    this.sayStale();
    this.mode = 'settling';
    this.rereadAfter(time);
  }

  private get nothingKnown(): boolean {
    return !this.known && this.tree.endpoints().next().done === true;
  }

  private readRoot(full: boolean, seenAt?: number): void {
    const { root } = this.options;
    this.read<[readonly string[]]>(
      full,
      (reader, done) => reader.children(root, true, done),
      (code, names) => {
        if (code === rc.noNode) return this.awaitRoot();
        if (code !== rc.ok) return this.unreadable(root, code);
        const { added, changes } = this.tree.setChannels(names);
        this.tell(changes, seenAt);
        const channels = full ? this.tree.channels.values() : added;
        for (const channel of channels) this.readData(channel, undefined, full, seenAt, true);
      },
    );
  }

  private awaitRoot(): void {
    const { root } = this.options;
    this.read<[unknown]>(
      false,
      (reader, done) => reader.exists(root, true, done),
      (code) => {
        if (code === rc.ok) return this.restart();
        if (code !== rc.noNode) return this.unreadable(root, code);
        if (this.mode === 'following' && this.nothingKnown) return;
        this.nextEpoch();
        this.rootId = undefined;
        if (this.nothingKnown) return this.complete();
        this.rootId = 'none';
        this.sayStale();
        this.mode = 'rootless';
      },
    );
    // Nothing is complete before the watch for the root is set.
    if (this.mode === 'reading') this.outstanding++;
  }

  private readData(
    channel: ChannelNode,
    child: TreeNode | undefined,
    full: boolean,
    seenAt?: number,
    withChildren = false,
  ): void {
    const { path } = child ?? channel;
    this.read<[Uint8Array, Parameters<Tree['setData']>[3] | undefined]>(
      full,
      (reader, done) => reader.get(path, true, done),
      (code, data, stat) => {
        const found = this.tree.find(path);
        if (found?.channel !== channel || found.child !== child) return;
        if (code === rc.noNode) {
          this.tell(child ? this.tree.removeChild(channel, child) : this.tree.removeChannel(channel), seenAt);
          return;
        }
        if (code !== rc.ok || stat === undefined) this.unreadable(path, code);
        else this.tell(this.tree.setData(channel, child, data, stat), seenAt);
        if (!withChildren) return;
        if (stat?.ephemeral === true) this.tell(this.tree.setChildren(channel, []).changes, seenAt);
        else this.readChildren(channel, full, seenAt);
      },
    );
  }

  private readChildren(channel: ChannelNode, full: boolean, seenAt?: number): void {
    this.read<[readonly string[]]>(
      full,
      (reader, done) => reader.children(channel.path, true, done),
      (code, names) => {
        if (this.tree.channels.get(channel.name) !== channel || code === rc.noNode) return;
        if (code !== rc.ok) return this.unreadable(channel.path, code);
        const { added, changes } = this.tree.setChildren(channel, names);
        this.tell(changes, seenAt);
        for (const child of full ? channel.children.values() : added) this.readData(channel, child, full, seenAt);
      },
    );
  }

  /** What is known of an unreadable node stands; nobody is told that it vanished. */
  private unreadable(path: string, code: number): void {
    this.sink.note({ kind: 'skipped', reason: code === rc.noAuth ? 'no_auth' : 'unreadable', path });
    if (path !== this.options.root) return;
    this.nextEpoch();
    this.sayStale();
    this.mode = 'reading';
    this.rereadAfter(deniedDelay);
  }

  private tell(changes: readonly TreeChange[], seenAt?: number): void {
    this.measureSoon();
    if (this.mode !== 'following') return;
    for (const change of changes) {
      if (change.kind === 'put') this.sink.put(change.endpoint, seenAt);
      else this.sink.drop(change.id, seenAt);
    }
  }

  private complete(): void {
    this.measure();
    if (this.mode !== 'reading') return;
    this.mode = 'following';
    this.known = false;
    this.sink.replace(this.tree.endpoints());
    this.sink.status('live');
    this.live = true;
  }

  private measureSoon(): void {
    this.measureTimer ??= setTimeout(() => this.measure(), measureDelay);
  }

  private measure(): void {
    clearTimeout(this.measureTimer);
    this.measureTimer = undefined;
    const bytes = this.tree.watchedBytes(this.options.chrootBytes);
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.sink.note({ kind: 'watched', bytes, alarm: bytes >= watchedBytesAlarm });
  }
}
