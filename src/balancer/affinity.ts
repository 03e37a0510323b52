// Where the HLS of each channel is, and whether it stays. Origins package on their own, so a playlist of one and a segment
// of another do not fit: moving costs every player something, and a small difference in load is not worth it.
//
// Not all who would gain may move at once. Every edge sees the same report: all would leave one endpoint together, overload
// the next and leave that one too. So each edge draws once per report, with a chance that moves the surplus; the next report
// shows what is left of it. An edge that is alone on an endpoint leaves at once.

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
    // A worse endpoint has to shed load itself; an unknown load would hide any surplus.
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

interface Stay {
  readonly endpoint: EndpointId;
  /** The report that was already drawn on, or that it came with. */
  readonly judged: Candidate;
}

/** Whoever says with which chance a candidate is left after a report, 0 to 1. */
interface Judge {
  leaveChance(mine: Candidate, settings: AffinitySettings): number;
}

/** The endpoint that the HLS of each channel stays on. Sole owner of it. */
export class Affinity {
  readonly #stays = new Map<ChannelName, Stay>();
  /** The reports that sessions which are elsewhere than their channel have drawn on. */
  readonly #drawn = new Map<EndpointId, Candidate>();

  /** The endpoint of the channel; undefined before the first sticky pick, and while the channel leaves. */
  of(channel: ChannelName): EndpointId | undefined {
    return this.#stays.get(channel)?.endpoint;
  }

  stick(channel: ChannelName, candidate: Candidate): void {
    const { id } = candidate.endpoint;
    if (this.of(channel) !== id) this.#stays.set(channel, { endpoint: id, judged: candidate });
  }

  forget(channel: ChannelName): void {
    this.#stays.delete(channel);
  }

  /** The endpoint left the registry. */
  drop(endpoint: EndpointId): void {
    this.#drawn.delete(endpoint);
  }

  /**
   * The index of the endpoint to stay on, or -1 to pick anew: it is no candidate, or the draw says to leave.
   * @param judge says the chance to leave; without one the candidates' scores do
   */
  stay(
    channel: ChannelName,
    candidates: readonly Candidate[],
    { settings, random }: AffinityContext,
    judge?: Judge,
  ): number {
    const { index, chance } = this.#chanceAt(channel, candidates, settings, judge);
    const mine = candidates[index];
    if (mine === undefined || chance === 0) return index;
    if (chance < 1) {
      if (this.#stays.get(channel)?.judged === mine) return index;
      this.#stays.set(channel, { endpoint: mine.endpoint.id, judged: mine });
      if (random() >= chance) return index;
    }
    this.#stays.delete(channel);
    return -1;
  }

  /** The same without a draw: -1 only where the channel is certain to leave. */
  mayStay(
    channel: ChannelName,
    candidates: readonly Candidate[],
    { settings }: AffinityContext,
    judge?: Judge,
  ): number {
    const { index, chance } = this.#chanceAt(channel, candidates, settings, judge);
    return chance < 1 ? index : -1;
  }

  /** Whether one session that is not where its channel is leaves its endpoint: drawn once for each report of that. */
  drawLeave(mine: Candidate, { settings, random }: AffinityContext, judge: Judge): boolean {
    const { id } = mine.endpoint;
    if (this.#drawn.get(id) === mine) return false;
    this.#drawn.set(id, mine);
    return random() < judge.leaveChance(mine, settings);
  }

  #chanceAt(channel: ChannelName, candidates: readonly Candidate[], settings: AffinitySettings, judge?: Judge) {
    const current = this.of(channel);
    const index = candidates.findIndex(({ endpoint }) => endpoint.id === current);
    const mine = candidates[index];
    if (mine === undefined) return { index, chance: 1 };
    return { index, chance: judge?.leaveChance(mine, settings) ?? leaveChance(mine, candidates, settings) };
  }
}
