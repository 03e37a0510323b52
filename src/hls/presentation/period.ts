// An epoch is a time in which one origin's numbering holds. A switch to another endpoint begins one, and so does an origin that
// counts anew. All renditions of the channel pass through the same epochs, each at its next playlist. Pure.

import type { Entry } from './live-window.js';

/** What the renditions of a channel have in common. */
export interface Epoch {
  readonly number: number;
  /** The endpoint, as its pin names it. */
  readonly source: string;
  /** Which life of which endpoint is going on: changes when one counts anew. */
  readonly lives: ReadonlyMap<string, string>;
  /** Player's discontinuity sequence less origin's; undefined until the first rendition has entered the epoch. */
  readonly base: number | undefined;
  /** `base` of the epoch before: it stays when both share their packaging. */
  readonly baseBefore: number | undefined;
  /** Where the first rendition went on. */
  readonly seam: Seam | undefined;
  /** Whether this origin goes on in the numbering of the one before; undefined: not decided. */
  readonly shared: boolean | undefined;
  /** Highest discontinuity sequence number that any rendition has listed; -1 before the first. */
  readonly top: number;
}

/** The point at which one rendition of a channel went over to another origin. The others follow at the same one. */
export interface Seam {
  /** The origin's number of the first segment behind it, in that rendition. */
  readonly sequence: number;
  /** Epoch ms of that segment, where the origin tells. */
  readonly clock: number | undefined;
  /** Seconds from there to the end of the origin's list, at the time `at`. */
  readonly behind: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** Endpoints whose lives are remembered. */
const mostLives = 32;
/** Discontinuities by which a rendition may be ahead of what any has listed: whatever an origin counts, the numbers stay small. */
const mostAhead = 1_000;

export function firstEpoch(source: string): Epoch {
  return {
    number: 0,
    source,
    lives: new Map(),
    base: 0,
    baseBefore: undefined,
    seam: undefined,
    shared: undefined,
    top: -1,
  };
}

/** Whether what follows from the one follows from the other. */
export function isSameEpoch(one: Epoch, other: Epoch): boolean {
  if (one === other) return true;
  const lives = one.lives === other.lives || (one.lives.size === 0 && other.lives.size === 0);
  const fields = ['number', 'source', 'base', 'baseBefore', 'seam', 'shared', 'top'] as const;
  return lives && fields.every((name) => one[name] === other[name]);
}

/** The channel moves to another endpoint. */
export function moveTo(epoch: Epoch, source: string): Epoch {
  return {
    ...epoch,
    number: epoch.number + 1,
    source,
    base: undefined,
    // Nobody entered the epoch that ends: what was before it still counts.
    baseBefore: epoch.base ?? epoch.baseBefore,
    seam: undefined,
    shared: undefined,
  };
}

/** The same endpoint counts anew. */
export function reincarnate(epoch: Epoch, life: string): Epoch {
  const lives = new Map(epoch.lives);
  lives.delete(epoch.source);
  lives.set(epoch.source, life);
  for (const oldest of lives.keys()) {
    if (lives.size <= mostLives) break;
    lives.delete(oldest);
  }
  return { ...moveTo(epoch, epoch.source), lives, shared: false };
}

/** The life of the epoch's endpoint; `''` is its first. */
export function lifeOf(epoch: Epoch): string {
  return epoch.lives.get(epoch.source) ?? '';
}

/**
 * Player's discontinuity sequence number for what is `counted` by the epoch's origin. The first to enter an epoch counts for
 * all: beyond what any rendition has listed.
 *
 * @param least what this rendition needs: its tags are counted, and nothing is below 0
 */
export function agreedNumber({ base, top }: Epoch, counted: number, least: number): number {
  if (base === undefined) return Math.max(top + 1, least);
  return Math.max(top === -1 ? base + counted : Math.min(base + counted, top + mostAhead), least);
}

/** After these entries were listed. */
export function raised(epoch: Epoch, appended: readonly Entry[]): Epoch {
  const top = appended.at(-1)?.discontinuitySequence ?? -1;
  return top > epoch.top ? { ...epoch, top } : epoch;
}
