// Pure: the steps that make the registry hold the wanted endpoints.

import type { Wanted } from './wanted.js';

/** What was last written to the registry, and when. */
export interface Standing extends Wanted {
  /** Monotonic ms. */
  readonly at: number;
}

export type Step =
  | { readonly kind: 'put'; readonly wanted: Wanted }
  | { readonly kind: 'update'; readonly wanted: Wanted }
  | { readonly kind: 'remove'; readonly channel: string };

/** The load of the server, as it was written last. */
export interface Reported {
  readonly load: number | undefined;
  /** Monotonic ms. */
  readonly at: number;
}

/** Smaller changes wait for the interval. */
const notable = { load: 0.05, packetLoss: 0.01, bitrateRatio: 0.2 };

/**
 * Removals come first, so that the old address of an endpoint leaves before the new one comes. A small change is written only
 * when the last report is older than `intervalMs`: thousands of watchers are notified of each write.
 */
export function stepsTo(
  wanted: ReadonlyMap<string, Wanted>,
  standing: ReadonlyMap<string, Standing>,
  now: number,
  intervalMs: number,
): readonly Step[] {
  const removals: Step[] = [];
  const others: Step[] = [];
  for (const [channel, { address }] of standing) {
    if (wanted.get(channel)?.address !== address) removals.push({ kind: 'remove', channel });
  }
  for (const [channel, each] of wanted) {
    const before = standing.get(channel);
    if (before?.address !== each.address) others.push({ kind: 'put', wanted: each });
    else if (saysNew(before, each) || (now - before.at >= intervalMs && differs(before, each))) {
      others.push({ kind: 'update', wanted: each });
    }
  }
  return [...removals, ...others];
}

/** Whether a load has to be written: a notable change at once, a small one when the last report is older than `intervalMs`. */
export function isDue(before: Reported, load: number | undefined, now: number, intervalMs: number): boolean {
  return moved(before.load, load, notable.load) || (before.load !== load && now - before.at >= intervalMs);
}

function saysNew(before: Wanted, after: Wanted): boolean {
  return (
    moved(before.load, after.load, notable.load) ||
    moved(before.packetLoss, after.packetLoss, notable.packetLoss) ||
    moved(before.bitrate, after.bitrate, notable.bitrateRatio * Math.max(before.bitrate ?? 0, after.bitrate ?? 0))
  );
}

/** Whether the value changed by at least `by`, or became known or unknown. */
function moved(before: number | undefined, after: number | undefined, by: number): boolean {
  if (before === undefined || after === undefined) return before !== after;
  return before !== after && Math.abs(after - before) >= by;
}

function differs(before: Wanted, after: Wanted): boolean {
  return before.load !== after.load || before.packetLoss !== after.packetLoss || before.bitrate !== after.bitrate;
}
