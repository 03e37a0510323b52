// The metrics of the whole edge: what the supervisor counts, and what each worker answers when it is asked. The last report
// of a worker stands in when it does not answer.

import type { Metrics } from '../metrics.js';
import { MetricsLedger, readMetrics } from './metrics-ledger.js';
import type { News } from './news.js';
import type { WorkerState } from './worker-parts.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

/** Milliseconds that a scrape waits for a worker; what it last counted stands in for a late one. */
const answerDeadlineMs = 1_000;

type Worker = Pick<WorkerProcess, 'id' | 'slot' | 'state' | 'residentBytes' | 'ask'>;

/** The metrics of all processes of the edge. A scrape waits for a worker at most one second. */
export class EdgeMetrics<W extends Worker = WorkerProcess> {
  readonly #workers: Workers<W>;
  readonly #own: Metrics;
  readonly #ledger = new MetricsLedger();

  /** @param own the supervisor's */
  constructor(workers: Workers<W>, news: News<W>, own: Metrics) {
    this.#workers = workers;
    this.#own = own;
    news.on('metrics', ({ id }, { metrics }) => this.#ledger.report(id, metrics));
  }

  /** It is gone, and everything that it sent was heard: what it counted stays counted. */
  bury({ id }: W): Promise<void> {
    return this.#ledger.retire(id);
  }

  /** All processes as one, in Prometheus' text format. */
  async read(): Promise<{ type: string; text: string }> {
    // One that starts counted nothing yet, and does not answer.
    const able = [...this.#workers.all()].filter(({ state }) => state !== 'starting');
    await Promise.all(able.map((worker) => this.#ask(worker)));
    this.#countWorkers();
    return this.#ledger.render(await readMetrics(this.#own.registry));
  }

  async #ask(worker: W): Promise<void> {
    const answer = await worker.ask({ about: 'metrics' }, answerDeadlineMs).catch(() => undefined);
    if (answer !== undefined) this.#ledger.report(worker.id, answer);
  }

  #countWorkers(): void {
    const { workers, workerMemory } = this.#own;
    const states: Record<Exclude<WorkerState, 'gone'>, number> = { starting: 0, serving: 0, draining: 0 };
    workerMemory.reset();
    for (const { state, slot, residentBytes } of this.#workers.all()) {
      if (state === 'gone') continue;
      states[state] += 1;
      if (state === 'serving') workerMemory.set({ worker: String(slot) }, residentBytes);
    }
    for (const [state, count] of Object.entries(states)) workers.set({ state }, count);
  }
}
