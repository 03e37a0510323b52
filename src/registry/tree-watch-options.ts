// What following trees needs to know: which trees, how much of them, and who opens sessions.

import type { AllowedFormats } from '../config-schema/format-names.js';
import type { TreePattern } from '../tree-pattern.js';
import type { TreeLimits } from './tree-room.js';

/** A tree, and how its nodes may be written. */
export interface FollowedTree {
  readonly pattern: TreePattern;
  readonly formats: AllowedFormats;
}

/** What following trees is given. */
export interface TreeWatchOptions {
  readonly trees: readonly FollowedTree[];
  /** Reads under way at once. */
  readonly readDepth: number;
  /** Length of the chroot in bytes: the watches of a session are sent with it. */
  readonly chrootBytes: number;
  /** True: somebody was told endpoints before, so a registry without any base must not pass for an empty one. */
  readonly known: boolean;
  /** Milliseconds that origins are given to register again below a base that was made anew. */
  readonly settlingMs: number;
  readonly limits: TreeLimits;
  /** Sessions at most. The first one is there from the beginning. */
  readonly maxSessions: number;
  /** Opens the session of this number, whose life is told to `connected`, `disconnected` and `event`. */
  readonly openSession: (session: number) => void;
  /** Epoch milliseconds, fractional. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}
