// The node that a tree hangs from: whether it is there, whether it is the one that was read before, and when to look again.

import type { Reads } from './reads.js';
import { RootIdentity } from './root-identity.js';
import type { Tree } from './tree.js';
import { rc, type Stat, unreadableReason } from './zookeeper-client.js';

/**
 * - unknown: nobody looked yet.
 * - open: it is there and its tree is followed.
 * - empty: it is missing, and so is nothing.
 * - missing: it is missing although something is known, which stands until it appears.
 * - settling: it was made anew, so the server lost its data: what is known stands until the origins had time to return.
 * - unreadable: what is known stands.
 */
export type BaseState = 'unknown' | 'open' | 'empty' | 'missing' | 'settling' | 'unreadable';

/** ms */
const deniedDelayMs = 10_000;

export interface BaseWatchOptions {
  readonly tree: Tree;
  /** Of the session that looks. */
  readonly reads: Reads;
  readonly chrootBytes: number;
  /** ms that origins are given to register again below a base that was made anew. */
  readonly settlingMs: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Whether endpoints are known that could be lost. */
  readonly known: () => boolean;
  /** Looked at; `before` is what it was until now. */
  readonly looked: (state: BaseState, before: BaseState) => void;
  /** Told once until it is there. */
  readonly missing: (node: 'root' | 'chroot', path: string) => void;
}

/** The state of one root node. Its times are ms. */
export class BaseWatch {
  state: BaseState = 'unknown';
  #missing: 'root' | 'chroot' | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Answers to an earlier look are ignored. */
  #look = 0;
  readonly #identity: RootIdentity;
  readonly #options: BaseWatchOptions;

  constructor(options: BaseWatchOptions) {
    this.#options = options;
    this.#identity = new RootIdentity(options.settlingMs);
  }

  get tree(): Tree {
    return this.#options.tree;
  }

  /** Asks whether it is there, and whether it is the same. */
  look(): void {
    this.release();
    this.#exists(this.#path, false, (code, stat) => {
      const { known, now } = this.#options;
      if (code === rc.noNode) return this.#await();
      if (code !== rc.ok || stat === undefined) return this.#unreadable(code);
      this.#missing = undefined;
      const waitMs = this.#identity.found(stat, known(), now());
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.look(), waitMs);
        return this.#is('settling');
      }
      this.#is('open');
    });
  }

  /** What it was stands; nothing is waited for. */
  release(): void {
    this.#look += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** It is there, and may not be listed. */
  denied(code: number): void {
    this.release();
    this.#unreadable(code);
  }

  get #path(): string {
    return this.#options.tree.pattern.base;
  }

  #exists(path: string, watch: boolean, apply: (code: number, stat: Stat | undefined) => void): void {
    const look = this.#look;
    this.#options.reads.read<[Stat | undefined]>(
      true,
      (reader, done) => reader.exists(path, watch, done),
      (code, stat) => {
        if (look === this.#look) apply(code, stat);
      },
    );
  }

  #await(): void {
    this.#exists(this.#path, true, (code) => {
      if (code === rc.ok) return this.look();
      if (code !== rc.noNode) return this.#unreadable(code);
      if (this.#options.chrootBytes === 0) return this.#without('root');
      // A chroot that is missing hides everything.
      this.#exists('/', false, (code) => this.#without(code === rc.noNode ? 'chroot' : 'root'));
    });
  }

  #without(missing: 'root' | 'chroot'): void {
    const known = this.#options.known();
    if (this.#missing !== missing) this.#options.missing(missing, this.#path);
    this.#missing = missing;
    this.#identity.missing(known);
    this.#is(known ? 'missing' : 'empty');
  }

  #unreadable(code: number): void {
    this.tree.setBaseUnreadable(unreadableReason(code));
    this.#timer = setTimeout(() => this.look(), deniedDelayMs);
    this.#is('unreadable');
  }

  #is(state: BaseState): void {
    const before = this.state;
    this.state = state;
    this.#options.looked(state, before);
  }
}
