// The parts of a simulated fleet besides its servers.

import type { EdgePolicy, View } from './contract.js';

export interface Edge {
  readonly index: number;
  readonly policy: EdgePolicy;
  /** What it sees of each channel, by server. */
  readonly views: readonly View[][];
  readonly delay: number;
  readonly pulls: Map<number, Pull>;
  /** The server of the last sticky pick, by channel. */
  readonly stuckTo: Map<number, number>;
  last: number;
}

/** A pull that viewers of a channel share at one edge. */
export interface Pull {
  viewers: number;
  /** Seconds; of the last move for a better score. */
  movedAt: number;
  session: Session | undefined;
}

export interface Session {
  readonly edge: Edge;
  readonly channel: number;
  readonly cost: number;
  readonly view: View;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly pull: Pull | undefined;
  ended: boolean;
}
