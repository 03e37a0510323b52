// What players ask for: how often, how long, and what a session costs a server.

import { exponential, gaussian, zipf } from './random.js';
import type { Scenario, Workload } from './scenario.js';

export class Traffic {
  /** Cumulated popularity of the channels. */
  readonly popularity: readonly number[];
  readonly #scenario: Scenario;
  readonly #random: () => number;

  /** @param random draws durations and costs */
  constructor(scenario: Scenario, random: () => number) {
    this.#scenario = scenario;
    this.#random = random;
    this.popularity = zipf(scenario.channels?.count ?? 1, scenario.channels?.skew ?? 0);
  }

  /** Part of the requests that go to a channel. */
  partOf(channel: number): number {
    const weight = (this.popularity[channel] ?? 0) - (this.popularity[channel - 1] ?? 0);
    return weight / (this.popularity.at(-1) ?? 1);
  }

  /** Sessions per second that bring the mean utilisation to rho. */
  rate({ share, mean }: Workload, capacity: number): number {
    const { rho, slots, channels, edges } = this.#scenario;
    if (!channels?.shared) return (rho * capacity * slots * share) / mean;
    // Pulls, not viewers, make the load: find the arrivals that keep the right number of pulls open.
    const pulls = (rate: number) => {
      let sum = 0;
      for (let channel = 0; channel < channels.count; channel += 1) {
        const open = 1 - Math.exp((-rate * this.partOf(channel) * mean) / edges);
        sum += edges * open * this.costOf(channel);
      }
      return sum;
    };
    let rate = 0.01;
    while (pulls(rate) < rho * capacity * share && rate < 1e4) rate *= 1.05;
    return rate;
  }

  /** Mean cost of a session of a channel, in capacities of 1. */
  costOf(channel: number): number {
    const { channels, slots, edges, endpoints } = this.#scenario;
    if (channels === undefined) return 1 / slots;
    const mean = channels.bitrates.reduce((a, b) => a + b, 0) / channels.bitrates.length;
    const relative = this.bitrateOf(channel) / mean;
    // All channels pulled by all edges fill the servers.
    return channels.shared ? (relative * endpoints) / (edges * channels.count) : relative / slots;
  }

  /** kbit/s. */
  bitrateOf(channel: number): number {
    const { channels, bitrate } = this.#scenario;
    return channels?.bitrates[channel % channels.bitrates.length] ?? bitrate;
  }

  drawDuration({ mean, sigma }: Workload): number {
    if (sigma === undefined) return exponential(this.#random, mean);
    return mean * Math.exp(sigma * gaussian(this.#random) - (sigma * sigma) / 2);
  }

  drawCost(channel: number): number {
    const { costSpread, channels } = this.#scenario;
    if (channels !== undefined) return this.costOf(channel);
    return this.costOf(channel) * (1 - costSpread + 2 * costSpread * this.#random());
  }
}
