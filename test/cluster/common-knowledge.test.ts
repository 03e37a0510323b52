import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommonKnowledge } from '../../src/cluster/common-knowledge.js';
import type { WorkerProcess, WorkerState } from '../../src/cluster/worker-process.js';
import { createMetrics } from '../../src/metrics.js';

test('a scrape waits for no worker that still starts', async () => {
  const asked: WorkerState[] = [];
  const worker = (id: number, state: WorkerState) => {
    const ask = async () => {
      asked.push(state);
      return [];
    };
    return { id, slot: id, state, residentBytes: 0, ask } as unknown as WorkerProcess;
  };
  const workers = [worker(0, 'starting'), worker(1, 'serving'), worker(2, 'draining')];
  const common = new CommonKnowledge({ serving: () => [], all: () => workers }, '/nowhere', createMetrics());
  const { text } = await common.metrics();
  assert.deepEqual(asked, ['serving', 'draining']);
  assert.match(text, /^weir_workers\{state="starting"\} 1$/m);
});
