// Where the HLS of each channel is, and whether it stays. Origins package on their own, so a playlist of one and a segment
// of another do not fit: moving costs every player something, and a small difference in load is not worth it.
//
// Nor may all move for whom it is worth it. Every edge sees the same report: all would leave one endpoint at once, overload
// the next and leave that one too. So each draws once a report, and so many leave as are too many; the next report says
// how many that still are. Who is alone on an endpoint leaves at once.

import type { ChannelName, EndpointId } from '../model.js';
import type { Candidate, PickContext, PolicySettings } from './policy.js';
import { score } from './score.js';

/** Part of the surplus that leaves after a report, since the next one does not show all of that yet. */
const caution = 0.5;

export interface AffinitySettings extends PolicySettings {
  /** How far the score may be above the lowest; 0 keeps nothing. */
  readonly affinityMargin: number;
}

export type AffinityContext = Pick<PickContext, 'random'> & { readonly settings: AffinitySettings };

/**
 * Pure: the chance to leave an endpoint after a report, 0 to 1. 0 while its score is within the margin of the lowest one;
 * then the part of its load that is above the mean of those no worse than it, or one session of all that are there.
 */
export function leaveChance(mine: Candidate, candidates: readonly Candidate[], settings: AffinitySettings): number {
  const { affinityMargin, edges } = settings;
  if (affinityMargin <= 0) return 1;
  const own = score(mine.endpoint, settings);
  let lowest = own;
  let sum = 0;
  let count = 0;
  for (const { endpoint } of candidates) {
    const one = score(endpoint, settings);
    // What is worse has to shed load itself; an unknown load would hide any surplus.
    if (one > own) continue;
    lowest = Math.min(lowest, one);
    sum += one;
    count += 1;
  }
  if (own - lowest <= affinityMargin) return 0;
  // Other edges are taken to have as many there as this one, whose workers are in the sum already.
  const alone = edges * mine.state.inFlight <= 1;
  return alone ? 1 : (caution * (own - sum / count)) / own;
}

interface Place {
  readonly endpoint: EndpointId;
  /** The report that was already drawn on, or that it came with. */
  readonly judged: Candidate;
}

export class Affinity {
  readonly #places = new Map<ChannelName, Place>();

  /** Undefined also for a channel that leaves. */
  of(channel: ChannelName): EndpointId | undefined {
    return this.#places.get(channel)?.endpoint;
  }

  stick(channel: ChannelName, candidate: Candidate): void {
    const { id } = candidate.endpoint;
    if (this.of(channel) !== id) this.#places.set(channel, { endpoint: id, judged: candidate });
  }

  forget(channel: ChannelName): void {
    this.#places.delete(channel);
  }

  /** The index of the endpoint to stay on, or -1 to pick anew: it is no candidate, or the draw says to leave. */
  stay(channel: ChannelName, candidates: readonly Candidate[], { settings, random }: AffinityContext): number {
    const { index, chance } = this.#chanceAt(channel, candidates, settings);
    const mine = candidates[index];
    if (mine === undefined || chance === 0) return index;
    if (chance < 1) {
      if (this.#places.get(channel)?.judged === mine) return index;
      this.#places.set(channel, { endpoint: mine.endpoint.id, judged: mine });
      if (random() >= chance) return index;
    }
    this.#places.delete(channel);
    return -1;
  }

  /** The same without a draw: -1 only where the channel is certain to leave. */
  mayStay(channel: ChannelName, candidates: readonly Candidate[], { settings }: AffinityContext): number {
    const { index, chance } = this.#chanceAt(channel, candidates, settings);
    return chance < 1 ? index : -1;
  }

  #chanceAt(channel: ChannelName, candidates: readonly Candidate[], settings: AffinitySettings) {
    const current = this.of(channel);
    const index = candidates.findIndex(({ endpoint }) => endpoint.id === current);
    const mine = candidates[index];
    return { index, chance: mine === undefined ? 1 : leaveChance(mine, candidates, settings) };
  }
}
