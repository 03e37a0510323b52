import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Start, WorkerProcess } from '../../src/cluster/worker-process.js';
import { configSchema } from '../../src/config-schema.js';
import { FakeChild, fakeSocket } from '../support/fake-child.js';

const update = { kind: 'update', update: { kind: 'full', revision: 1, state: 'live', endpoints: [] } } as const;
const config = configSchema.parse({ shutdown: { grace: '0s' } });
const self = { slot: 0, name: 'worker-1', socket: '/nowhere' };
const first: Start = {
  kind: 'start',
  config,
  identity: { edge: 'test', machineSecret: 'machine', self },
  update: update.update,
  own: [],
  members: [self],
  sessions: [],
};

function workerOf(child: FakeChild, given: { start?: () => Start; caughtUp?: () => void } = {}) {
  const { start = () => first, caughtUp = () => undefined } = given;
  const handlers = { start, caughtUp, news: () => undefined, exited: () => undefined };
  const deployment = { config, socket: fakeSocket() };
  return new WorkerProcess({ id: 1, slot: 0, deployment, child, handlers, now: () => 0 });
}

test('a report that is pending while a worker starts reaches it after what it starts with, never before', () => {
  const child = new FakeChild();
  const worker = workerOf(child, {
    start: () => {
      // As the whole picture is made: what is pending is published first, to every worker.
      worker.send(update);
      return first;
    },
  });
  child.says({ kind: 'hello' });
  worker.send(update);
  assert.deepEqual(child.heard, ['start', 'update']);
});

test('a start that cannot be made ends the process, not the supervisor', async () => {
  const child = new FakeChild();
  const worker = workerOf(child, {
    start: () => {
      throw new RangeError('too much');
    },
  });
  child.says({ kind: 'hello' });
  await assert.rejects(worker.listening, /could not be told how to start: too much/);
  assert.deepEqual(child.signals, ['SIGKILL']);
  assert.equal(worker.cause, 'failed');
});

test('a worker that does not read costs 256 messages, is asked nothing, and is told everything once when it reads again', async () => {
  const child = new FakeChild();
  let caughtUp = 0;
  const worker = workerOf(child, {
    caughtUp: () => {
      caughtUp += 1;
    },
  });
  child.says({ kind: 'hello' });
  child.says({ kind: 'listening' });
  child.reads = false;
  for (let i = 0; i < 10_000; i += 1) worker.send(update);
  for (let i = 0; i < 1_000; i += 1) worker.allow(i);
  await assert.rejects(worker.ask({ about: 'ping' }, 60_000), /does not keep up/);
  assert.ok(child.sent.length <= 257, `${child.sent.length} messages`);
  assert.equal(caughtUp, 0);
  child.readAgain();
  assert.equal(caughtUp, 1);
  assert.equal(worker.send(update), true);
  worker.allow(1_000);
  assert.deepEqual(child.sent.at(-1), { kind: 'allow', connections: 1_000 });
});

test('a worker that does not read is still told to drain', () => {
  const child = new FakeChild();
  const worker = workerOf(child);
  child.says({ kind: 'hello' });
  child.says({ kind: 'listening' });
  child.reads = false;
  for (let i = 0; i < 1_000; i += 1) worker.send(update);
  worker.drain('shutdown');
  assert.deepEqual(child.sent.at(-1), { kind: 'drain', end: 'shutdown' });
  child.ends();
});

test('a process that was never started is gone at once, and is no crash of a worker', async () => {
  const child = new FakeChild({ started: false });
  child.connected = false;
  const worker = workerOf(child);
  child.emit('error', new Error('spawn EMFILE'));
  assert.equal(await worker.exited, 'spawn EMFILE');
  await assert.rejects(worker.listening, /before it served players: spawn EMFILE/);
  await worker.silent;
  assert.deepEqual([worker.state, worker.cause], ['gone', 'spawn']);
});

test('questions end with the worker', async () => {
  const child = new FakeChild();
  const worker = workerOf(child);
  child.says({ kind: 'hello' });
  child.says({ kind: 'listening' });
  const asked = worker.ask({ about: 'hls' }, 60_000);
  child.ends(null, 'SIGKILL');
  await assert.rejects(asked, /The worker ended/);
  await assert.rejects(worker.ask({ about: 'hls' }, 60_000), /The worker is gone/);
});
