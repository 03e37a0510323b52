import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SupervisorMessage } from '../../src/cluster/messages.js';
import { WorkerProcess } from '../../src/cluster/worker-process.js';
import { FakeChild, fakeSocket } from '../support/fake-child.js';

type Start = Extract<SupervisorMessage, { kind: 'start' }>;
const update = { kind: 'delta', base: 0, revision: 1, state: 'live', put: [], drop: [] } as const;
const first = { kind: 'start' } as unknown as Start;

test('a report that is pending while a worker starts reaches it after what it starts with, never before', () => {
  const child = new FakeChild();
  const pending = () => {
    // As the whole picture is made: what is pending is published first, to every worker.
    worker.sendIfKeepingUp({ kind: 'update', update });
    return first;
  };
  const worker = new WorkerProcess(
    0,
    fakeSocket(),
    pending,
    () => undefined,
    () => child.asChild,
  );
  child.says({ kind: 'hello' });
  worker.sendIfKeepingUp({ kind: 'update', update });
  assert.deepEqual(child.heard, ['start', 'update']);
});
