// Which session follows what. A session re-arms all of its watches in one packet, which ZooKeeper bounds.

import type { SessionShare } from './session-share.js';
import type { Tree } from './tree.js';
import type { ListedNode } from './tree-node.js';

/** Bytes up to which a session is given more; the rest is for what grows. `jute.maxbuffer` is 1,048,575. */
const roomyBytes = 500_000;
/** Bytes from which a session passes on what turns out to be large when it is listed first. */
const fullBytes = 700_000;

interface Waiting {
  readonly tree: Tree;
  readonly node: ListedNode;
  readonly full: boolean;
  readonly seenAt: number | undefined;
}

export interface PlacementOptions {
  readonly shares: readonly SessionShare[];
  /** Nodes that may be without their first answer at once: how much they hold is not known before. */
  readonly maxUnanswered: number;
  /** One more session; undefined: there may be no more. */
  readonly open: () => SessionShare | undefined;
}

/** The session of each node, and the nodes that wait for one. */
export class SessionPlacement {
  /** In their order; those before `#next` have a place. */
  #waiting: Waiting[] = [];
  #next = 0;
  /** Nodes that were given to a session and are not answered yet. */
  readonly #unanswered = new Map<ListedNode, SessionShare>();
  readonly #options: PlacementOptions;

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** All have a place. */
  get done(): boolean {
    return this.#next === this.#waiting.length;
  }

  add(one: Waiting): void {
    this.#waiting.push(one);
  }

  /** Gives away what waits, as far as the answers allow it. */
  proceed(): void {
    while (!this.done && this.#unanswered.size < this.#options.maxUnanswered) {
      const { tree, node, full, seenAt } = this.#waiting[this.#next++] as Waiting;
      if (node.parent !== undefined && node.parent.children.get(node.name) !== node) continue;
      const share = this.roomiest();
      this.#unanswered.set(node, share);
      share.take(tree, node);
      // Where there is no connection yet, it is read when there is one.
      share.read(tree, node, full, seenAt);
    }
    if (!this.done) return;
    this.#waiting = [];
    this.#next = 0;
  }

  /** Returns whether it may stay where it is. `first`: its size is known only now. */
  answered(share: SessionShare, tree: Tree, node: ListedNode, first: boolean): boolean {
    this.#unanswered.delete(node);
    const stays = !first || share.bytes < fullBytes || share.size === 1 || !this.#hasRoomElsewhere(share);
    if (!stays) {
      share.release(node, true);
      this.add({ tree, node, full: true, seenAt: undefined });
    }
    this.proceed();
    return stays;
  }

  /** Nothing is answered any more by this one. */
  lost(share: SessionShare): void {
    for (const [node, by] of this.#unanswered) if (by === share) this.#unanswered.delete(node);
  }

  gone(nodes: readonly ListedNode[]): void {
    for (const node of nodes) {
      this.#unanswered.delete(node);
      for (const share of this.#options.shares) share.release(node);
    }
  }

  #hasRoomElsewhere(share: SessionShare): boolean {
    return this.#roomy() !== undefined || (this.#options.open() ?? share) !== share;
  }

  #roomy(): SessionShare | undefined {
    return this.#options.shares.find(({ bytes }) => bytes < roomyBytes);
  }

  /** The session that is given the next watch. */
  roomiest(): SessionShare {
    const found = this.#roomy() ?? this.#options.open();
    return found ?? this.#options.shares.reduce((least, each) => (each.bytes < least.bytes ? each : least));
  }
}
