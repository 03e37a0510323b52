// What is counted for every request and every chunk, as plain numbers: a labelled counter of the library costs a hash each
// time. They become metrics when they are scraped.

import type { Aggregator, Metric, Registry } from 'prom-client';

/** One line of a metric. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it is not the metric's own: parts of a histogram. */
  readonly metricName?: string;
}

export interface TallyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
}

/** Makes a metric whose samples are read when it is scraped. Those of several processes are added up. */
export function registerTally(registry: Registry, definition: TallyDefinition, samples: () => readonly Sample[]): void {
  const aggregator: Aggregator = 'sum';
  const metric = { ...definition, aggregator, get: async () => ({ ...definition, aggregator, values: samples() }) };
  // All that a registry asks of a metric; the library's type stands for its own four classes.
  registry.registerMetric(metric as unknown as Metric);
}

/** Numbers by one label. */
export type Row<A extends string> = Record<A, number>;
/** Numbers by two labels. */
export type Grid<A extends string, B extends string> = Readonly<Record<A, Row<B>>>;

/** A row of zeros. */
export function createRow<A extends string>(names: readonly A[]): Row<A> {
  return byName(names, () => 0);
}

/** A grid of zeros. */
export function createGrid<A extends string, B extends string>(rows: readonly A[], columns: readonly B[]): Grid<A, B> {
  return byName(rows, () => createRow(columns));
}

/** One of each for every name. */
export function byName<A extends string, T>(names: readonly A[], create: () => T): Record<A, T> {
  return Object.fromEntries(names.map((name) => [name, create()])) as Record<A, T>;
}

/** The samples of a row. */
export function rowSamples(label: string, row: Readonly<Row<string>>): Sample[] {
  return Object.entries(row).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

/** The samples of a grid. What was never counted is left out: most pairs of labels cannot occur. */
export function gridSamples(labels: readonly [string, string], grid: Grid<string, string>): Sample[] {
  const [first, second] = labels;
  return Object.entries(grid).flatMap(([name, row]) =>
    rowSamples(second, row)
      .filter(({ value }) => value > 0)
      .map((sample) => ({ ...sample, labels: { [first]: name, ...sample.labels } })),
  );
}

/** A histogram of fixed buckets. */
export class Buckets {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper bounds, ascending; a value equal to a bound is within it */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    (this.#counts[at] as number) += 1;
    this.#sum += value;
  }

  /** In Prometheus' form: cumulative. Empty before the first value, when it has labels. */
  samples(name: string, labels: Readonly<Record<string, string>> = {}): Sample[] {
    const count = this.#counts.reduce((sum, each) => sum + each, 0);
    if (count === 0 && Object.keys(labels).length > 0) return [];
    let upTo = 0;
    const buckets = [...this.#bounds.map(String), '+Inf'].map((le, at) => {
      upTo += this.#counts[at] ?? 0;
      return { metricName: `${name}_bucket`, value: upTo, labels: { le, ...labels } };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, value: this.#sum, labels },
      { metricName: `${name}_count`, value: count, labels },
    ];
  }
}
