import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeMetrics } from '../../src/cluster/edge-metrics.js';
import type { Answers, Question } from '../../src/cluster/messages.js';
import type { MetricJson } from '../../src/cluster/metrics-ledger.js';
import { News } from '../../src/cluster/news.js';
import type { WorkerState } from '../../src/cluster/worker-parts.js';
import { createMetrics } from '../../src/metrics.js';

/** A worker that answers with what it counted, or not in time. */
class Worker {
  readonly slot: number;
  readonly residentBytes = 7;
  asked = 0;

  constructor(
    readonly id: number,
    readonly state: WorkerState,
    readonly counted: readonly MetricJson[] | undefined,
  ) {
    this.slot = id;
  }

  async ask<Q extends Question>(): Promise<Answers[Q['about']]> {
    this.asked += 1;
    if (this.counted === undefined) throw new Error('too late');
    return this.counted as Answers[Q['about']];
  }
}

const saves = (value: number): MetricJson[] => [
  { name: 'saves_total', help: 'saves', type: 'counter', aggregator: 'sum', values: [{ value, labels: {} }] },
];

test('a scrape waits for no worker that still starts', async () => {
  const workers = [new Worker(0, 'starting', []), new Worker(1, 'serving', []), new Worker(2, 'draining', [])];
  const edge = new EdgeMetrics({ serving: () => [], all: () => workers }, new News(), createMetrics());
  const { text } = await edge.read();
  assert.deepEqual(
    workers.map(({ asked }) => asked),
    [0, 1, 1],
  );
  for (const state of ['starting', 'serving', 'draining']) {
    assert.match(text, new RegExp(`^weir_workers\\{state="${state}"\\} 1$`, 'm'));
  }
  assert.match(text, /^weir_worker_resident_bytes\{worker="1"\} 7$/m);
});

test('what a worker told last stands in for an answer that is late, and stays when it is gone', async () => {
  const [prompt, late] = [new Worker(1, 'serving', saves(3)), new Worker(2, 'serving', undefined)];
  const workers = [prompt, late];
  const news = new News<Worker>();
  const edge = new EdgeMetrics({ serving: () => workers, all: () => workers }, news, createMetrics());
  news.emit(late, { kind: 'metrics', metrics: saves(4) });
  const total = async () => /^saves_total (\d+)$/m.exec((await edge.read()).text)?.[1];
  assert.equal(await total(), '7');
  workers.pop();
  await edge.bury(late);
  assert.equal(await total(), '7');
});
