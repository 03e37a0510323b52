// A simulated origin: what it carries, and what it tells of that.

import { gaussian } from './random.js';

export interface Report {
  readonly load: number;
  readonly loss: number;
  readonly version: number;
}

export interface ReportStyle {
  /** avg: since the last report; inst: at this moment. */
  readonly reportMode: 'avg' | 'inst';
  /** Standard deviation of a reported load. */
  readonly noise: number;
  readonly lossNoise: number;
  /** Step in which a load is reported. */
  readonly quantum: number;
}

export class Server {
  readonly index: number;
  /** Relative: 1 carries `slots` sessions of mean cost. */
  readonly capacity: number;
  readonly loss: number;
  alive = true;
  /** What our edges put on it, in capacities of 1. */
  used = 0;
  /** Fraction of its capacity that others use. */
  background = 0;
  version = 0;
  #area = 0;
  #touched = 0;
  #reportedArea = 0;
  #reportedAt = 0;

  constructor(index: number, capacity: number, loss: number) {
    this.index = index;
    this.capacity = capacity;
    this.loss = loss;
  }

  get utilisation(): number {
    return this.used / this.capacity + this.background;
  }

  /** Utilisation × seconds since the beginning. Call before `used` or `background` changes. */
  area(now: number): number {
    this.#area += this.utilisation * (now - this.#touched);
    this.#touched = now;
    return this.#area;
  }

  add(cost: number, now: number): void {
    this.area(now);
    this.used += cost;
    if (this.used < 1e-9) this.used = 0;
  }

  /** Begins to live (again), idle. */
  start(now: number): void {
    this.area(now);
    this.alive = true;
    this.#reportedAt = now;
    this.#reportedArea = this.#area;
  }

  /** Overload shows as loss, as it does where packets are dropped. */
  report(now: number, style: ReportStyle, random: () => number): Report {
    const area = this.area(now);
    const elapsed = now - this.#reportedAt;
    const average = style.reportMode === 'avg' && elapsed > 0;
    const utilisation = average ? (area - this.#reportedArea) / elapsed : this.utilisation;
    this.#reportedArea = area;
    this.#reportedAt = now;
    const over = utilisation > 1 ? (utilisation - 1) / utilisation : 0;
    const load = utilisation + style.noise * gaussian(random);
    const lossNoise = style.lossNoise * gaussian(random) * (this.loss > 0 || over > 0 ? 1 : 0.2);
    this.version += 1;
    return {
      load: rounded(load, style.quantum),
      loss: rounded(this.loss + over + lossNoise, 0.001),
      version: this.version,
    };
  }
}

const rounded = (value: number, step: number) => Math.min(1, Math.max(0, Math.round(value / step) * step));
