// Folders that are listed again because another session saw one of their children go. The child may have been made again
// meanwhile, and be in the last list already.

import type { SessionShare } from './session-share.js';
import type { Tree } from './tree.js';
import type { FolderNode } from './tree-node.js';

/** ms; however many children go, a folder is listed no more often than this. */
const relistDelayMs = 200;

/** The folders that are listed again a moment later. */
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

  /** Who has lost its connection lists its folders when it has one again. */
  #list(): void {
    const folders = [...this.#folders];
    this.release();
    for (const [folder, tree] of folders) {
      const share = this.#shares.find((each) => each.holds(folder));
      if (share?.reader !== undefined) share.read(tree, folder, false);
    }
  }
}
