// Watches the base of a tree: whether it exists, whether it is the same node as before, and when to look again.

import type { Reads } from './reads.js';
import { RootIdentity } from './root-identity.js';
import type { Tree } from './tree.js';
import { rc, type Stat, unreadableReason } from './zookeeper-client.js';

/**
 * - unknown: not looked at yet.
 * - open: it exists and its tree is followed.
 * - empty: it does not exist, and no endpoint is known.
 * - missing: it does not exist although endpoints are known. They are kept until it appears.
 * - settling: it was created again, so the server lost its data. Known endpoints are kept until origins had time to register.
 * - unreadable: it cannot be read. Known endpoints are kept.
 */
export type BaseState = 'unknown' | 'open' | 'empty' | 'missing' | 'settling' | 'unreadable';

const deniedDelayMs = 10_000;

export interface BaseWatchOptions {
  readonly tree: Tree;
  /** The reads of the session that looks. */
  readonly reads: Reads;
  readonly chrootBytes: number;
  /** The time that origins have to register again below a base that was created again. */
  readonly settlingMs: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Whether endpoints are known that could be lost. */
  readonly known: () => boolean;
  /** Called after each look; `before` is the state until now. */
  readonly looked: (state: BaseState, before: BaseState) => void;
  /** Called once, until the node appears. */
  readonly missing: (node: 'root' | 'chroot', path: string) => void;
}

/** The state of the base of one tree. */
export class BaseWatch {
  state: BaseState = 'unknown';
  #missing: 'root' | 'chroot' | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Number of the current look: answers to an earlier one are ignored. */
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

  /** Asks whether the base exists, and whether it is the same. */
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

  /** Keeps the state, and ends timers and pending looks. */
  release(): void {
    this.#look += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The base exists, and may not be listed. */
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
