import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { SupervisorMessage } from '../../src/cluster/messages.js';
import type { Start } from '../../src/cluster/worker-parts.js';
import { WorkerProcess } from '../../src/cluster/worker-process.js';
import { configSchema } from '../../src/config-schema.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpointsById } from '../../src/snapshot/update.js';
import { endpoint } from '../support/data-plane.js';
import { FakeChild, fakeSocket } from '../support/fake-child.js';

const message: SupervisorMessage = { kind: 'in-flight', counts: [], whole: false };
const config = configSchema.parse({ shutdown: { grace: '0s' } });
const self = { slot: 0, name: 'worker-1', socket: '/nowhere' };
const first: Start = {
  kind: 'start',
  config,
  identity: { edge: 'test', machineSecret: 'machine', self },
  own: [],
  members: [self],
  sessions: [],
  inFlight: [],
  fleet: { edges: 1, leaveWithinMs: undefined },
};

function workerOf(child: FakeChild, given: { start?: () => Start; caughtUp?: () => void; store?: SnapshotStore } = {}) {
  const { start = () => first, caughtUp = () => undefined, store = new SnapshotStore() } = given;
  const handlers = { start, caughtUp, news: () => undefined, exited: () => undefined };
  const deployment = { config, socket: fakeSocket() };
  return new WorkerProcess({
    id: 1,
    slot: 0,
    deployment,
    child,
    handlers,
    snapshot: () => store.current,
    now: () => 0,
  });
}

/** So many channels with one endpoint each. */
function publish(store: SnapshotStore, channels: number, revision: number, load = 0): void {
  const endpoints = Array.from({ length: channels }, (_, i) =>
    endpoint(`c${i}`, '10.0.0.1:80', { load, version: revision }),
  );
  store.accept({ kind: 'full', revision, state: 'live', endpoints });
}
/** What a process knows that was sent these. */
function knownBy(child: FakeChild): SnapshotStore {
  const store = new SnapshotStore();
  for (const message of child.sent) if (message.kind === 'update') assert.ok(store.accept(message.update));
  return store;
}
/** Turns of the event loop, as long as something happens in them. */
async function turns(child: FakeChild): Promise<void> {
  for (let sent = -1; sent !== child.sent.length; ) {
    sent = child.sent.length;
    await setImmediate();
  }
}

test('a worker starts with the whole picture, which comes in pieces before, and what changes meanwhile is in it', async () => {
  const child = new FakeChild();
  const store = new SnapshotStore();
  publish(store, 3_000, 1);
  const worker = workerOf(child, { store });
  worker.published();
  assert.equal(child.sent.length, 0, 'it does not listen yet');
  child.says({ kind: 'hello' });
  publish(store, 2_000, 2);
  worker.published();
  await turns(child);
  assert.equal(child.heard.lastIndexOf('update'), child.heard.length - 2);
  assert.equal(child.heard.at(-1), 'start');
  assert.ok(child.heard.length > 4, `${child.heard.length - 1} pieces`);
  const known = knownBy(child);
  assert.equal(known.current.channels.size, 2_000);
  assert.deepEqual([known.current.revision, known.current.state], [2, 'live']);
});

test('a worker that serves has had its turn before the next piece of a large change', async () => {
  const child = new FakeChild();
  const store = new SnapshotStore();
  publish(store, 3_000, 1);
  const worker = workerOf(child, { store });
  child.says({ kind: 'hello' });
  await turns(child);
  child.says({ kind: 'listening' });
  const before = child.sent.length;
  publish(store, 3_000, 2, 0.5);
  worker.published();
  await turns(child);
  assert.deepEqual(child.heard.slice(before), ['update', 'ask']);
  const heard = worker.heard();
  for (let asked = child.sent.at(-1); asked?.kind === 'ask'; asked = child.sent.at(-1)) {
    assert.equal(knownBy(child).current.revision, 1);
    child.says({ kind: 'answer', id: asked.id, answer: true });
    await turns(child);
    if (knownBy(child).current.revision === 2) break;
  }
  const last = child.sent.at(-1);
  if (last?.kind === 'ask') child.says({ kind: 'answer', id: last.id, answer: true });
  await heard;
  const { current } = knownBy(child);
  assert.ok([...current.channels.values()].every(({ endpoints }) => endpoints[0]?.load === 0.5));
  child.ends();
});

test('a worker that does not read costs one update, and then gets what it missed as one', async () => {
  const child = new FakeChild();
  const store = new SnapshotStore();
  publish(store, 10, 1);
  const worker = workerOf(child, { store });
  child.says({ kind: 'hello' });
  await turns(child);
  child.reads = false;
  const before = child.sent.length;
  for (let revision = 2; revision < 1_000; revision += 1) {
    publish(store, 10 + (revision % 7), revision, revision / 1_000);
    worker.published();
  }
  assert.deepEqual(child.heard.slice(before), ['update']);
  child.readAgain();
  await turns(child);
  assert.deepEqual(child.heard.slice(before), ['update', 'update']);
  assert.deepEqual(endpointsById(knownBy(child).current), endpointsById(store.current));
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
  for (let i = 0; i < 10_000; i += 1) worker.send(message);
  for (let i = 0; i < 1_000; i += 1) worker.allow(i);
  await assert.rejects(worker.ask({ about: 'ping' }, 60_000), /does not keep up/);
  assert.ok(child.sent.length <= 257, `${child.sent.length} messages`);
  assert.equal(caughtUp, 0);
  child.readAgain();
  assert.equal(caughtUp, 1);
  assert.equal(worker.send(message), true);
  worker.allow(1_000);
  assert.deepEqual(child.sent.at(-1), { kind: 'allow', connections: 1_000 });
});

test('a worker that does not read is still told to drain', () => {
  const child = new FakeChild();
  const worker = workerOf(child);
  child.says({ kind: 'hello' });
  child.says({ kind: 'listening' });
  child.reads = false;
  for (let i = 0; i < 1_000; i += 1) worker.send(message);
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
