// Folders that are listed again because another session saw that one of their children was deleted. The child may have been
// created again meanwhile, and be in the last list already.

import type { SessionShare } from './session-share.js';
import type { Tree } from './tree.js';
import type { FolderNode } from './tree-node.js';

/** However many children are deleted, folders are listed at most once in this time. */
const relistDelayMs = 200;

/** The folders that will be listed again after a moment. */
export class Relist {
  readonly #folders = new Map<FolderNode, Tree>();
  #timer: NodeJS.Timeout | undefined;
  readonly #shares: readonly SessionShare[];

  constructor(shares: readonly SessionShare[]) {
    this.#shares = shares;
  }

  soon(tree: Tree, folder: FolderNode): void {
    this.#folders.set(folder, tree);
    this.#timer ??= setTimeout(() => this.#list(), relistDelayMs);
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#folders.clear();
  }

  /** A session without a connection lists its folders anyway when it has one again. */
  #list(): void {
    const folders = [...this.#folders];
    this.release();
    for (const [folder, tree] of folders) {
      const share = this.#shares.find((each) => each.holds(folder));
      if (share?.reader !== undefined) share.read(tree, folder, false);
    }
  }
}
