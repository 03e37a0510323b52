// The parent of the registry process, where the system does not start one as it should.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import type { ChildMessage } from '../../src/registry/messages.js';
import { createProcessRegistry } from '../../src/registry/registry-process.js';
import { RecordingSink } from '../support/recording-sink.js';
import { waitFor } from '../support/wait.js';

class FakeProcess extends EventEmitter {
  connected = true;
  readonly pid = 1;
  readonly heard: unknown[] = [];

  send(message: unknown): void {
    this.heard.push(message);
  }

  kill(): void {}

  says(message: ChildMessage): void {
    this.emit('message', message);
  }

  ends(): void {
    this.connected = false;
    this.emit('close', 1, null);
  }
}

/** What `fork` gives without a file descriptor: no pid, no channel, and an error in the next turn. */
function notStarted(code: string): ChildProcess {
  const child = Object.assign(new EventEmitter(), { kill() {} });
  process.nextTick(() => child.emit('error', new Error(`spawn node ${code}`)));
  return child as unknown as ChildProcess;
}

const settings = {
  servers: '127.0.0.1:1',
  trees: [{ path: '/channels/{channel}/{endpoint}', formats: 'auto' as const }],
  maxSessions: 1,
  sessionTimeout: 4_000,
  readDepth: 1,
  reconcileInterval: 0,
  credentials: undefined,
  limits: { endpoints: 1_000, endpointsPerChannel: 1_000 },
};

let sink: RecordingSink;
let stop: AbortController;
let whys: unknown[];
const logger = {
  info() {},
  warn() {},
  error: (fields: object) => void whys.push((fields as { why?: unknown }).why),
};
beforeEach(() => {
  sink = new RecordingSink();
  stop = new AbortController();
  whys = [];
});
afterEach(() => {
  stop.abort();
});

/** Starts whatever stands in the list, one after the other. */
function starting(known: boolean, ...starts: (() => ChildProcess)[]) {
  let last: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    last = resolve;
  });
  const start = () => {
    const next = starts.shift();
    assert.ok(next);
    if (starts.length === 0) last();
    return next();
  };
  const registry = createProcessRegistry(settings, logger, { start });
  return { running: registry.run(sink, stop.signal, known), started };
}

test('a process that the system cannot start is tried again, whatever is missing', async () => {
  const child = new FakeProcess();
  const { running, started } = starting(
    false,
    () => notStarted('EMFILE'),
    () => {
      throw new Error('spawn ENOMEM');
    },
    () => child as unknown as ChildProcess,
  );
  await started;
  assert.deepEqual(whys, ['spawn node EMFILE', 'spawn ENOMEM']);
  child.says({ kind: 'replace', first: true, last: true, endpoints: [] });
  child.says({ kind: 'batch', changes: [], notes: [], status: 'live' });
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  stop.abort();
  child.ends();
  await running;
});

test('what no retry helps against ends it at the first start, and is a crash like any later on', async () => {
  const broken = new FakeProcess();
  const never = starting(false, () => broken as unknown as ChildProcess);
  broken.says({ kind: 'fatal', message: 'not installed' });
  broken.ends();
  await assert.rejects(never.running, /not installed/);

  const [first, second] = [new FakeProcess(), new FakeProcess()];
  const { running, started } = starting(
    false,
    () => first as unknown as ChildProcess,
    () => second as unknown as ChildProcess,
  );
  first.says({ kind: 'replace', first: true, last: true, endpoints: [] });
  first.says({ kind: 'batch', changes: [], notes: [], status: 'live' });
  first.says({ kind: 'fatal', message: 'not installed' });
  first.ends();
  await started;
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale']);
  stop.abort();
  second.ends();
  await running;
});

test('a registry that starts with endpoints of an earlier run says so until a first picture is there', async () => {
  const [first, second, third] = [new FakeProcess(), new FakeProcess(), new FakeProcess()];
  const { running } = starting(true, ...[first, second, third].map((child) => () => child as unknown as ChildProcess));
  const known = async ({ heard }: FakeProcess) => {
    await waitFor(() => heard.length > 0);
    return (heard[0] as { known: boolean }).known;
  };
  assert.equal(await known(first), true);
  first.ends();
  assert.equal(await known(second), true, 'nothing was read yet');
  second.says({ kind: 'replace', first: true, last: true, endpoints: [] });
  second.ends();
  assert.equal(await known(third), false, 'an empty registry was read');
  stop.abort();
  third.ends();
  await running;
});
