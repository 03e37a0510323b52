// Decides which session follows which nodes. A session re-arms all its watches in one packet, whose size ZooKeeper bounds.

import type { SessionShare } from './session-share.js';
import type { Tree } from './tree.js';
import { isChannel, type ListedNode } from './tree-node.js';

/** A session below this gets more nodes; the rest is reserve for nodes that grow. `jute.maxbuffer` is 1,048,575. */
const roomyBytes = 500_000;
/** A session above this passes on a node that proves large when it is listed first. */
const fullBytes = 700_000;

interface Waiting {
  readonly tree: Tree;
  readonly node: ListedNode;
  readonly full: boolean;
  readonly seenAt: number | undefined;
}

export interface PlacementOptions {
  readonly shares: readonly SessionShare[];
  /** Nodes that may wait for their first answer at once: their size is not known before. */
  readonly maxUnanswered: number;
  /** Opens one more session; undefined: the limit is reached. */
  readonly open: () => SessionShare | undefined;
}

/** Gives each node to a session; nodes without one wait. */
export class SessionPlacement {
  /** In order; those before `#next` have a session. */
  #waiting: Waiting[] = [];
  #next = 0;
  /** Nodes whose session has not answered yet. */
  readonly #unanswered = new Map<ListedNode, SessionShare>();
  readonly #options: PlacementOptions;

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** Whether all nodes have a session. */
  get done(): boolean {
    return this.#next === this.#waiting.length;
  }

  add(one: Waiting): void {
    this.#waiting.push(one);
  }

  /** Gives waiting nodes to sessions, as far as `maxUnanswered` allows. */
  proceed(): void {
    while (!this.done && this.#unanswered.size < this.#options.maxUnanswered) {
      const waiting = this.#waiting[this.#next++] as Waiting;
      const { node } = waiting;
      if (node.parent !== undefined && node.parent.children.get(node.name) !== node) continue;
      this.#give(this.roomiest(), waiting);
    }
    if (!this.done) return;
    this.#waiting = [];
    this.#next = 0;
  }

  #give(share: SessionShare, { tree, node, full, seenAt }: Waiting): void {
    this.#unanswered.set(node, share);
    share.take(tree, node);
    // A session without a connection reads it when it has one.
    share.read(tree, node, full, seenAt);
  }

  #kept(): true {
    this.proceed();
    return true;
  }

  /** A session answered. Returns whether it keeps the node. @param first the size of the node is known only now */
  answered(share: SessionShare, tree: Tree, node: ListedNode, first: boolean): boolean {
    this.#unanswered.delete(node);
    if (!first || share.bytes < fullBytes || share.size === 1) return this.#kept();
    // In a session with others it would be as large there: it gets one of its own, or stays.
    if (isChannel(node) && node.childBytes >= roomyBytes) {
      const own = this.#options.open();
      if (own === undefined) return this.#kept();
      share.release(node, true);
      this.#give(own, { tree, node, full: true, seenAt: undefined });
    } else {
      if (!this.#hasRoomElsewhere(share)) return this.#kept();
      share.release(node, true);
      this.add({ tree, node, full: true, seenAt: undefined });
    }
    this.proceed();
    return false;
  }

  /** The session answers nothing any more. */
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
