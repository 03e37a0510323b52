// A fleet of simulated edges before a ZooKeeper in memory. Each edge runs the code that an edge runs; only time, chance and its
// players are simulated. What is asked of ZooKeeper is counted, by the second.

import { pino } from 'pino';
import { Fleet } from '../../src/fleet/fleet.js';
import { createMetrics } from '../../src/metrics.js';
import { type Asked, FakeEnsemble, type FakeSession } from '../../test/support/fake-ensemble.js';
import { SimulatedClock } from './clock.js';

export interface Scale {
  readonly edges: number;
  readonly sites: number;
}

/** What was asked in a stretch of time. */
export interface Measured {
  readonly what: string;
  readonly seconds: number;
  readonly mean: Asked;
  /** Of one second. */
  readonly peak: Asked;
}

const kinds = ['writes', 'reads', 'lists', 'listed', 'events'] as const;
const less = (a: Asked, b: Asked) =>
  Object.fromEntries(kinds.map((kind) => [kind, a[kind] - b[kind]])) as unknown as Asked;

/** Players of one edge: they come and go by a random walk around a level that moves slowly. */
class Players {
  #viewers: number;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    this.#viewers = Math.round(200 + 4_000 * random());
  }

  /** One second of it: two in a hundred change, and the level drifts. */
  vitals(): { workers: number; viewers: number; bytesPerSecond: number } {
    const step = Math.sqrt(this.#viewers) * 0.5 * (this.#random() + this.#random() - 1);
    this.#viewers = Math.max(0, Math.round(this.#viewers + step + 0.001 * this.#viewers * (this.#random() - 0.5)));
    return {
      workers: 8,
      viewers: this.#viewers,
      bytesPerSecond: this.#viewers * 400_000 * (0.9 + 0.2 * this.#random()),
    };
  }
}

interface SimulatedEdge {
  fleet: Fleet;
  session: FakeSession;
  readonly site: string;
  readonly name: string;
}

export class SimulatedFleet {
  readonly ensemble = new FakeEnsemble();
  readonly clock: SimulatedClock;
  readonly edges: SimulatedEdge[];
  readonly #random: () => number;
  readonly #metrics = createMetrics({ process: false });
  readonly #logger = pino({ level: 'silent' });
  #runs = 0;

  constructor({ edges, sites }: Scale, random: () => number) {
    this.#random = random;
    this.clock = new SimulatedClock(random);
    this.edges = Array.from({ length: edges }, (_, i) => {
      const [site, name] = [`site-${i % sites}`, `edge-${i}.example.net:8080`];
      return { site, name, ...this.#start(site, name) };
    });
  }

  /** The number that each edge counts, by how many edges count it. */
  counted(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const count of this.#counted.values()) counts.set(count, (counts.get(count) ?? 0) + 1);
    return counts;
  }

  readonly #counted = new Map<string, number>();

  #start(site: string, name: string): { fleet: Fleet; session: FakeSession } {
    const session = this.ensemble.session();
    const players = new Players(this.#random);
    this.#runs += 1;
    const fleet = new Fleet({
      session,
      root: '/weir',
      site,
      node: { name, run: this.#runs.toString(16).padStart(8, '0') },
      facts: { version: '0.1.0', started: new Date(0).toISOString(), players: `http://${name}` },
      vitals: () => players.vitals(),
      graceMs: () => 10_000,
      obey: (edges) => this.#counted.set(name, edges),
      clock: this.clock,
      logger: this.#logger,
      metrics: this.#metrics,
    });
    return { fleet, session };
  }

  /** All within so many ms, one after the other. */
  spread(ms: number, each: (edge: SimulatedEdge) => void): void {
    for (const edge of this.edges) this.clock.after(ms * this.#random(), () => each(edge));
  }

  /** Ends in order, and starts anew after some seconds. */
  restart(edge: SimulatedEdge): void {
    edge.fleet.leave();
    this.clock.after(2_000, () => {
      edge.fleet.close();
      edge.session.lose();
      this.ensemble.sessions.delete(edge.session);
      Object.assign(edge, this.#start(edge.site, edge.name));
      this.clock.after(3_000, () => edge.session.connect());
    });
  }

  /** Lets so many seconds pass and counts. */
  async measure(what: string, seconds: number): Promise<Measured> {
    const { asked } = this.ensemble;
    const start = { ...asked };
    const peak: Asked = { reads: 0, lists: 0, listed: 0, writes: 0, events: 0 };
    for (let second = 0; second < seconds; second++) {
      const before = { ...asked };
      await this.clock.pass(1_000);
      const now = less(asked, before);
      for (const kind of kinds) peak[kind] = Math.max(peak[kind], now[kind]);
    }
    const all = less(asked, start);
    for (const kind of kinds) all[kind] /= seconds;
    return { what, seconds, mean: all, peak };
  }

  close(): void {
    for (const { fleet } of this.edges) fleet.close();
  }
}
