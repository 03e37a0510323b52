// An epoch is a time in which one origin's numbering holds. A switch to another endpoint begins one, and so does an origin that
// counts anew. All renditions of the channel pass through the same epochs, each at its next playlist. Pure.

import type { Entry } from './window.js';

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
  /** Origin's number at which the first rendition went on. */
  readonly seam: number | undefined;
  /** Whether this origin goes on in the numbering of the one before; undefined: not decided. */
  readonly shared: boolean | undefined;
  /** Highest discontinuity sequence number that any rendition has listed. */
  readonly top: number;
}

export function firstEpoch(source: string): Epoch {
  return {
    number: 0,
    source,
    lives: new Map(),
    base: 0,
    baseBefore: undefined,
    seam: undefined,
    shared: undefined,
    top: 0,
  };
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
  return { ...moveTo(epoch, epoch.source), lives: new Map(epoch.lives).set(epoch.source, life), shared: false };
}

/** The life of the epoch's endpoint; `''` is its first. */
export function lifeOf(epoch: Epoch): string {
  return epoch.lives.get(epoch.source) ?? '';
}

/** After these entries were listed. */
export function raised(epoch: Epoch, appended: readonly Entry[]): Epoch {
  const top = appended.at(-1)?.discontinuitySequence ?? 0;
  return top > epoch.top ? { ...epoch, top } : epoch;
}
