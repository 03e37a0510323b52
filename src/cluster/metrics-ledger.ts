// The metrics of all processes as one. What a worker counted stays counted when it is gone: totals never go down.

import { type Aggregator, AggregatorRegistry, type Metric, type Registry } from 'prom-client';

/** One metric with its samples, as prom-client renders it. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly aggregator: Aggregator;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly metricName?: string;
  }[];
}

type MetricsSource = Pick<Registry, 'getMetricsAsJSON' | 'getMetricsAsArray'>;

/** Every metric of a registry, as plain objects that can be sent to another process. */
export async function readMetrics(registry: MetricsSource): Promise<MetricJson[]> {
  // The library's types call `type` a number; it is a word.
  return (await registry.getMetricsAsJSON()) as unknown as MetricJson[];
}

const isCumulative = ({ type }: MetricJson) => type === 'counter' || type === 'histogram';

/** Counters and histograms of weir's own: cheap enough for every second, unlike those read off the system. */
export async function readCounters(registry: MetricsSource): Promise<MetricJson[]> {
  const all = registry.getMetricsAsArray() as unknown as (Metric & { readonly name: string })[];
  const ours = await Promise.all(all.filter(({ name }) => name.startsWith('weir_')).map((metric) => metric.get()));
  return (ours as unknown as MetricJson[]).filter(isCumulative);
}

/** The last report of each worker, and the sums of those that are gone. */
export class MetricsLedger {
  /** Counters and histograms of workers that are gone. */
  #retired: readonly MetricJson[] = [];
  readonly #last = new Map<number, readonly MetricJson[]>();
  #retiring: Promise<void> = Promise.resolve();

  /** What a worker counted so far: the newest report counts. */
  report(worker: number, metrics: readonly MetricJson[]): void {
    this.#last.set(worker, metrics);
  }

  /** The worker is gone, and everything it sent was heard. */
  retire(worker: number): Promise<void> {
    const retired = this.#retiring.then(async () => {
      const last = this.#last.get(worker)?.filter(isCumulative) ?? [];
      const sum = await readMetrics(AggregatorRegistry.aggregate([[...this.#retired], last]));
      // Without a turn of the event loop in between: a scrape must see it neither twice nor not at all.
      this.#retired = sum;
      this.#last.delete(worker);
    });
    // A worker whose counts cannot be added up must not take those of the next ones along.
    this.#retiring = retired.catch(() => undefined);
    return retired;
  }

  /** @param own the supervisor's metrics */
  async render(own: readonly MetricJson[]): Promise<{ type: string; text: string }> {
    // What cannot be summed up, such as the start time, is the supervisor's.
    const ours = own.map((metric) => (metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric));
    const theirs = [this.#retired, ...this.#last.values()].map((metrics) =>
      metrics.filter(({ aggregator }) => aggregator !== 'omit'),
    );
    const all = AggregatorRegistry.aggregate([ours, ...theirs]);
    return { type: all.contentType, text: await all.metrics() };
  }
}
