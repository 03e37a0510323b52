// What following a tree costs, and what of it cannot be used: counted a moment after it changed, told when it is another.

import type { RegistryNote } from './registry.js';
import type { Tree } from './tree.js';

/** Re-arming all watches takes one packet; at 1,048,575 bytes (`jute.maxbuffer`) the server refuses it. */
const watchedBytesAlarm = 800_000;
const watchedBytesLimit = 1_000_000;

const countDelay = 1_000;

export class TreeAccounts {
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #census = '';
  readonly #tree: Tree;
  readonly #chrootBytes: number;
  readonly #note: (note: RegistryNote) => void;

  /** @param chrootBytes length of the chroot: the watches of a session are sent with it */
  constructor(tree: Tree, chrootBytes: number, note: (note: RegistryNote) => void) {
    this.#tree = tree;
    this.#chrootBytes = chrootBytes;
    this.#note = note;
  }

  /** True: so much is watched that the session could never be resumed. */
  get beyondLimit(): boolean {
    return this.#bytes >= watchedBytesLimit;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.count(), countDelay);
  }

  count(): void {
    this.release();
    const bytes = this.#tree.watchedBytes(this.#chrootBytes);
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#note({ kind: 'watched', bytes, alarm: bytes >= watchedBytesAlarm });
    }
    const counts = this.#tree.census();
    const census = JSON.stringify(counts);
    if (census === this.#census) return;
    this.#census = census;
    this.#note({ kind: 'census', ...counts });
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
