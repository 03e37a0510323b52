// What a run is judged by: peak ÷ mean utilisation over all servers, sample by sample.

import type { View } from './contract.js';
import type { Scenario } from './scenario.js';
import type { Server } from './server.js';

export interface Result {
  /** Peak ÷ mean utilisation: average, 99th percentile and maximum over the samples. */
  readonly average: number;
  readonly p99: number;
  readonly worst: number;
  /** Highest utilisation of any server in any sample. */
  readonly highest: number;
  /** Share of samples with a server above its capacity. */
  readonly overloaded: number;
  /** Share of the picks that met a dead server. */
  readonly failed: number;
  /** Share of the picks that lossy servers got ÷ their share of the capacity; undefined without any. */
  readonly lossy: number | undefined;
  /** A joining server: highest utilisation ÷ mean in its first 90 s; undefined without one. */
  readonly joinPeak: number | undefined;
  /** Picks until another server is picked, on average. */
  readonly run: number;
  readonly picks: number;
  /** Per sticky channel of an edge and hour; undefined without affinity. */
  readonly moves: number | undefined;
  /** After a ramp, and three reports: picks more than 0.05 above the lowest score at hand; undefined without a ramp. */
  readonly above: number | undefined;
}

const TOLERATED = 0.05;
const LOSS_WEIGHT = 10;

export class Measure {
  readonly #scenario: Scenario;
  readonly #servers: readonly Server[];
  readonly #areas: (number | undefined)[];
  readonly #ratios: number[] = [];
  #highest = 0;
  #overloaded = 0;
  #samples = 0;
  #joinPeak = 0;
  #picks = 0;
  #failed = 0;
  #changes = 0;
  #lossyPicks = 0;
  #moves = 0;
  #sessionSeconds = 0;
  #judged = 0;
  #above = 0;

  constructor(scenario: Scenario, servers: readonly Server[]) {
    this.#scenario = scenario;
    this.#servers = servers;
    this.#areas = servers.map(() => undefined);
  }

  picked(now: number, server: Server, changed: boolean): void {
    if (now < this.#scenario.warmup) return;
    this.#picks += 1;
    if (changed) this.#changes += 1;
    if (server.loss > 0) this.#lossyPicks += 1;
  }

  /** A sticky channel of an edge changes its server. */
  moved(now: number): void {
    if (now >= this.#scenario.warmup) this.#moves += 1;
  }

  /** @param sticky channels of edges that stick to a server now */
  sticks(sticky: number): void {
    this.#sessionSeconds += sticky * this.#scenario.sample;
  }

  /** Counts after a ramp only. */
  chose(now: number, picked: View, views: readonly View[]): void {
    const { ramp, period, periodJitter } = this.#scenario;
    if (ramp === undefined || now < ramp[2] + 3 * period * (1 + periodJitter)) return;
    const lowest = Math.min(...views.map(scoreOf));
    this.#judged += 1;
    if (scoreOf(picked) > lowest + TOLERATED) this.#above += 1;
  }

  failed(now: number): void {
    if (now >= this.#scenario.warmup) this.#failed += 1;
  }

  sample(now: number): void {
    let used = 0;
    let capacity = 0;
    let peak = 0;
    for (const server of this.#servers) {
      const area = server.area(now);
      const before = this.#areas[server.index];
      this.#areas[server.index] = area;
      if (before === undefined || !server.alive) continue;
      const utilisation = (area - before) / this.#scenario.sample;
      used += utilisation * server.capacity;
      capacity += server.capacity;
      peak = Math.max(peak, utilisation);
    }
    if (capacity === 0) return;
    const mean = used / capacity;
    this.#samples += 1;
    if (mean > 0.02) this.#ratios.push(peak / mean);
    if (peak > 1) this.#overloaded += 1;
    this.#highest = Math.max(this.#highest, peak);
    this.#joined(now, mean);
  }

  #joined(now: number, mean: number): void {
    const { join } = this.#scenario;
    const server = join && this.#servers[join.index];
    if (!join || !server || now <= join.at || now >= join.at + 90) return;
    this.#joinPeak = Math.max(this.#joinPeak, server.utilisation / mean);
  }

  result(): Result {
    const sorted = [...this.#ratios].sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
    const capacity = this.#servers.reduce((sum, server) => sum + server.capacity, 0);
    const lossy = this.#servers.reduce((sum, server) => sum + (server.loss > 0 ? server.capacity : 0), 0);
    const picks = Math.max(1, this.#picks);
    return {
      average: sorted.reduce((sum, ratio) => sum + ratio, 0) / sorted.length,
      p99: at(0.99),
      worst: at(1),
      highest: this.#highest,
      overloaded: this.#overloaded / Math.max(1, this.#samples),
      failed: this.#failed / picks,
      lossy: lossy > 0 ? this.#lossyPicks / picks / (lossy / capacity) : undefined,
      joinPeak: this.#scenario.join ? this.#joinPeak : undefined,
      run: this.#picks / Math.max(1, this.#changes),
      picks: this.#picks,
      above: this.#scenario.ramp && this.#above / Math.max(1, this.#judged),
      moves: this.#scenario.affinity && (3600 * this.#moves) / Math.max(1, this.#sessionSeconds),
    };
  }
}

const scoreOf = ({ load, packet_loss_rate: loss }: View) => load + LOSS_WEIGHT * loss;
