// The options of following trees: which trees, with which limits, and how sessions are opened.

import type { AllowedFormats } from '../config-schema/format-names.js';
import type { TreePattern } from '../tree-pattern.js';
import type { TreeLimits } from './tree-room.js';

/** A tree, and the formats that its nodes may have. */
export interface FollowedTree {
  readonly pattern: TreePattern;
  readonly formats: AllowedFormats;
}

/** The options of `TreeWatch`. */
export interface TreeWatchOptions {
  readonly trees: readonly FollowedTree[];
  /** Reads under way at once. */
  readonly readDepth: number;
  /** Length of the chroot in bytes: the watches of a session are sent with it. */
  readonly chrootBytes: number;
  /** True: endpoints were published before, so a missing base must not count as an empty registry. */
  readonly known: boolean;
  /** The time that origins have to register again below a base that was created again. */
  readonly settlingMs: number;
  readonly limits: TreeLimits;
  /** The first session exists from the beginning. */
  readonly maxSessions: number;
  /** Opens the session of this number. It must call `connected`, `disconnected` and `event`. */
  readonly openSession: (session: number) => void;
  /** Epoch milliseconds, fractional. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}
